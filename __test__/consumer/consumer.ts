/** What a host written in TypeScript does with each entry. Compiled by `npm run typecheck`, never run. */

import type {
  AdapterEnvironmentTestContext,
  AdapterExecutionContext,
  AdapterModel,
  CLIAdapterModule,
  ServerAdapterModule,
  StdoutLineParser,
} from '@paperclipai/adapter-utils'

import { agentConfigurationDoc, createServerAdapter, label, models, printClaudeStreamEvent, type } from 'paperclip-adapter-claude-k8s'
import * as cli from 'paperclip-adapter-claude-k8s/cli'
import * as server from 'paperclip-adapter-claude-k8s/server'
import { parseStdoutLine } from 'paperclip-adapter-claude-k8s/ui-parser'

const registered: ServerAdapterModule = createServerAdapter()
const sameFromServer: ServerAdapterModule = server.createServerAdapter()
const terminal: CLIAdapterModule = { type, formatStdoutEvent: printClaudeStreamEvent }
const terminalFromCli: CLIAdapterModule = { type, formatStdoutEvent: cli.printClaudeStreamEvent }
const transcript: StdoutLineParser = parseStdoutLine
const list: AdapterModel[] = models
const texts: string[] = [label, agentConfigurationDoc]

/** Members that the host may call without asking whether they are there. */
export async function useEverything(ctx: AdapterExecutionContext, test: AdapterEnvironmentTestContext) {
  const adapter = createServerAdapter()
  const skills = { agentId: ctx.agent.id, companyId: ctx.agent.companyId, adapterType: type, config: ctx.config }
  return {
    result: (await adapter.execute(ctx)).errorCode,
    serverResult: (await server.execute(ctx)).exitCode,
    checks: (await server.testEnvironment(test)).checks.map((check) => check.code),
    entries: (await adapter.listSkills(skills)).entries,
    synced: (await adapter.syncSkills(skills, [])).warnings,
    fields: adapter.getConfigSchema().fields.map((field) => field.key),
    session: server.sessionCodec.deserialize({ sessionId: 'x' }),
    models: await adapter.listModels(),
    uses: [registered, sameFromServer, terminal, terminalFromCli, transcript, list, texts],
  }
}

// @ts-expect-error: the line formatter of 0.1 was never public
export type { formatClaudeStreamEvent } from 'paperclip-adapter-claude-k8s/cli'
