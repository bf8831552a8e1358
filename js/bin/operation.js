/** A command that asks the cluster: its options, its request, its answer. */

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

import { hostProcess } from '../host/process.js'
import { loadNative } from '../native/load.js'
import { readConfiguration } from './files.js'
import { UsageError } from './stop.js'

/**
 * Options of every command that reaches a cluster.
 * @typedef {object} ClusterOptions
 * @property {string} [config]
 * @property {string} [kubeconfig]
 * @property {string} [context]
 * @property {string} [namespace]
 * @property {string} [serverNamespace]
 * @property {boolean} [allNamespaces]
 * @property {boolean} [json]
 */

/** The cluster refused, or what was named does not exist. */
export class Refused extends Error {}

/**
 * As `kubectl` finds its cluster: an option, then `KUBECONFIG`, then the file in the home. An option that names one wins over the
 * pod this process may run in.
 * @param {ClusterOptions} options
 */
export function chooseCluster({ kubeconfig, context }) {
  if (kubeconfig !== undefined && !existsSync(kubeconfig)) throw new UsageError(`\`--kubeconfig ${kubeconfig}\` does not exist; name an existing file`)
  const ownFile = join(homedir(), '.kube', 'config')
  const inPod = process.env['KUBERNETES_SERVICE_HOST'] !== undefined
  const file = kubeconfig ?? process.env['KUBECONFIG'] ?? (!inPod && existsSync(ownFile) ? ownFile : undefined)
  if (kubeconfig !== undefined || context !== undefined) delete process.env['KUBERNETES_SERVICE_HOST']
  if (file !== undefined) process.env['KUBECONFIG'] = file
  if (context !== undefined) process.env['PAPERCLIP_K8S_CONTEXT'] = context
}

/**
 * The configuration of FILE, in the namespace that an option names.
 * @param {ClusterOptions} options
 * @returns {import('../types.d.ts').JsonObject}
 */
export function configurationOf({ config, namespace }) {
  return { ...(config === undefined ? {} : readConfiguration(config)), ...(namespace !== undefined && { namespace }) }
}

/**
 * @template Answer
 * @param {ClusterOptions} options
 * @param {import('../types.d.ts').OperatorAction} action
 * @param {object} [callbacks]
 * @param {(stream: 'stdout' | 'stderr', chunk: string) => void} [callbacks.onLog]
 * @param {(rows: import('../types.d.ts').RunRow[]) => void} [callbacks.onRows]
 * @returns {Promise<Answer>}
 */
export async function operate(options, action, { onLog, onRows } = {}) {
  chooseCluster(options)
  const { allNamespaces, serverNamespace } = options
  const request = { config: configurationOf(options), host: await hostProcess(), allNamespaces, serverNamespace, action }
  const operation = loadNative().operate(JSON.stringify(request), {
    onLog: async (stream, chunk) => onLog?.(stream === 'stderr' ? 'stderr' : 'stdout', chunk),
    onNotice: async (json) => {
      const notice = JSON.parse(json)
      if (notice.kind === 'rows') onRows?.(notice.rows)
    },
  })
  const interrupt = () => operation.cancel()
  process.once('SIGINT', interrupt)
  try {
    /** @type {{ answer: Answer } | { refused: { code: string, message: string } }} */
    const answer = JSON.parse(await operation.wait())
    if ('refused' in answer) throw new Refused(answer.refused.message)
    return answer.answer
  } finally {
    process.off('SIGINT', interrupt)
  }
}
