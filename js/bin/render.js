/** `render`: the objects a run would create, with masked secrets. */

import { Document, isMap, isScalar } from 'yaml'

import { loadNative } from '../native/load.js'
import { buildRequest } from '../run/request.js'
import { asShown, inLine, jsonText } from '../terminal.js'
import { commandLineContext } from './context.js'
import { chooseCluster, configurationOf } from './operation.js'
import { sayError } from './stop.js'

/** @typedef {import('../types.d.ts').Rendered} Rendered */

/** Stands for the prompt; its size is not that of a real one. */
const examplePrompt = 'An example prompt.'

/** @param {import('./operation.js').ClusterOptions & { config: string, agent?: string }} options */
export async function render(options) {
  chooseCluster(options)
  const { config: configPath, agent, json } = options
  const ctx = commandLineContext({ configPath, config: configurationOf(options), prompt: examplePrompt, agent })
  const request = await buildRequest(ctx, warn)
  /** @type {Rendered | { refused: { code: string, message: string, next: string } }} */
  const answer = JSON.parse(await loadNative().renderManifests(JSON.stringify(request)))
  if (json) console.log(jsonText(answer, 2))
  if ('refused' in answer) {
    const { code, message, next } = answer.refused
    sayError(`${code}: ${message}. Next: ${next}`)
    process.exitCode = 1
    return
  }
  answer.warnings.forEach(warn)
  answer.degraded.forEach((mode) => warn(`Degraded: ${mode}`))
  if (!json) console.log(asShown(toYaml(answer)))
}

/** @param {string} text */
function warn(text) {
  console.error(`warning: ${inLine(text)}`)
}

/**
 * @param {Rendered} rendered
 * @returns {string}
 */
export function toYaml({ namespace, job, secrets }) {
  const documents = [
    document(job),
    ...secrets.map(({ manifest, sizes }) => withSizes(document(manifest), sizes)),
  ]
  const header = `# What a run would create in namespace ${namespace}. Run id, uid and prompt are examples.\n`
  return header + documents.map((one) => one.toString({ lineWidth: 0 })).join('---\n').trimEnd()
}

/** @param {import('../types.d.ts').JsonObject} manifest */
function document(manifest) {
  return new Document(manifest, { aliasDuplicateObjects: false })
}

/**
 * @param {Document} secret
 * @param {Record<string, number>} sizes bytes of each value
 */
function withSizes(secret, sizes) {
  const data = secret.get('data')
  for (const [name, bytes] of Object.entries(sizes)) {
    const value = isMap(data) ? data.get(name, true) : undefined
    if (isScalar(value)) value.comment = ` ${bytes} bytes`
  }
  return secret
}
