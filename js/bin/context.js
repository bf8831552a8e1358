/** The context of one run, as a host would build it. */

import { createHash, randomUUID } from 'node:crypto'
import { resolve } from 'node:path'

import { credential } from '../host/process.js'
import { type } from '../identity.js'
import { asObject } from '../json.js'

/** Stands for the host's company in labels and paths. */
const companyId = 'command-line'

/**
 * @param {object} parts
 * @param {string} parts.configPath
 * @param {import('../types.d.ts').JsonObject} parts.config
 * @param {string} parts.prompt
 * @param {string} [parts.agent]
 * @returns {import('../types.d.ts').ExecutionContext} without callbacks that print
 */
export function commandLineContext({ configPath, config, prompt, agent }) {
  const id = agent ?? agentIdOf(configPath)
  return {
    runId: randomUUID(),
    agent: { id, companyId, name: id, adapterType: type, adapterConfig: { ...config, env: secretBindings(config) } },
    runtime: { sessionId: null, sessionParams: null, sessionDisplayId: null, taskKey: null },
    // The prompt is a value of the template and not the template: braces in it stay what they are.
    config: { ...config, promptTemplate: '{{context.commandLinePrompt}}' },
    context: { commandLinePrompt: prompt },
    onLog: async () => {},
  }
}

/**
 * The same file is the same agent: the guard then sees two runs of it at once.
 * @param {string} configPath
 */
function agentIdOf(configPath) {
  return `cli-${createHash('sha256').update(resolve(configPath)).digest('hex').slice(0, 12)}`
}

/**
 * A host marks the values it took from its secrets. A file has no marks, so names decide what is hidden from output.
 * @param {import('../types.d.ts').JsonObject} config
 */
function secretBindings(config) {
  const names = Object.keys(asObject(config['env'])).filter((name) => credential.test(name))
  return Object.fromEntries(names.map((name) => [name, { type: 'secret_ref' }]))
}
