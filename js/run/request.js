/** `ctx` as data: the `RunRequest` of `crates/core/src/request.rs`. Values are passed on, not judged. */

import { hostProcess } from '../host/process.js'
import { publicContext } from '../host/notices.js'
import { loadHostUtilities } from '../host/utilities.js'
import { asArray, asObject, asText, isObject, messageOf } from '../json.js'
import { renderPrompts } from '../prompt/render.js'
import { sessionCodec } from '../session-codec.js'
import { selectSkills } from '../skills/select.js'

/** @typedef {import('../types.d.ts').ExecutionContext} ExecutionContext */

/**
 * @param {ExecutionContext} ctx
 * @param {(text: string) => void} warn
 * @returns {Promise<import('../types.d.ts').RunRequest>}
 */
export async function buildRequest(ctx, warn) {
  const utilities = await loadHostUtilities()
  const config = asObject(ctx.config)
  const context = asObject(ctx.context)
  return {
    runId: ctx.runId,
    agent: {
      id: ctx.agent.id,
      companyId: ctx.agent.companyId,
      name: ctx.agent.name ?? '',
      adapterConfig: asObject(ctx.agent.adapterConfig),
    },
    config: readableConfig(config),
    context: publicContext(context),
    session: storedSession(ctx.runtime),
    authToken: asText(ctx.authToken),
    prompts: renderPrompts(utilities, { ...ctx, config, context }),
    wakePayloadJson: utilities.stringifyPaperclipWakePayload(context['paperclipWake']),
    ...selectSkills(utilities, config),
    mcpServers: [...(await runtimeServers(ctx, warn)), ...managedGateways(context)],
    executionTarget: ctx.executionTarget ?? null,
    externalRuntime: namedJob(ctx.externalRuntime),
    host: await hostProcess(),
  }
}

/**
 * JSON has neither `NaN` nor an infinite number and would say `null`, which is unset: such a value is told as what it is.
 * @param {Record<string, unknown>} config
 * @returns {Record<string, unknown>}
 */
export function readableConfig(config) {
  const text = JSON.stringify(config, (_, value) => {
    if (typeof value === 'bigint') return String(value)
    return typeof value === 'number' && !Number.isFinite(value) ? { notANumber: String(value) } : value
  })
  return JSON.parse(text)
}

/**
 * Runs without a task get only an id (docs/internals/host.md 9).
 * @param {ExecutionContext['runtime'] | undefined} runtime
 */
function storedSession(runtime) {
  return sessionCodec.deserialize(runtime?.sessionParams) ?? sessionCodec.deserialize({ sessionId: runtime?.sessionId })
}

/**
 * @param {ExecutionContext} ctx
 * @param {(text: string) => void} warn
 */
async function runtimeServers(ctx, warn) {
  try {
    return asArray(await ctx.runtimeMcp?.getServers()).flatMap(mcpServer)
  } catch (error) {
    // The host's own failure costs the run its tools, not its life (HST-02).
    warn(`the host could not name its MCP servers: ${messageOf(error)}`)
    return []
  }
}

/** @param {import('../types.d.ts').JsonObject} context */
function managedGateways(context) {
  return asArray(asObject(context['paperclipManagedMcp'])['gateways']).flatMap(mcpServer)
}

/**
 * @param {unknown} value
 * @returns {import('../types.d.ts').McpServer[]}
 */
function mcpServer(value) {
  const { name, url, token, connectionId } = asObject(value)
  const server = { name: asText(name), url: asText(url), token: asText(token) ?? '', connectionId: asText(connectionId) ?? '' }
  return server.name !== null && server.url !== null ? [{ ...server, name: server.name, url: server.url }] : []
}

/** @param {unknown} value */
function namedJob(value) {
  if (!isObject(value)) return null
  const jobName = asText(value['jobName'])
  const jobUid = asText(value['jobUid'])
  return jobName !== null && jobUid !== null ? { jobName, jobUid } : null
}
