/** Reads and writes kubeconfig files: the little of their format that the tests, the demo and the benchmark need. */

import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

import { parse } from 'yaml'

/**
 * How to reach an API server, and as whom.
 * @typedef {object} Credentials
 * @property {string} server base URL
 * @property {string} [ca] PEM
 * @property {string} [cert] PEM
 * @property {string} [key] PEM
 * @property {string} [token]
 * @property {string} [namespace] of the context
 */

/**
 * @param {string} path
 * @param {string} [contextName] default: the current context
 * @returns {Credentials}
 */
export function readKubeconfig(path, contextName) {
  const config = parse(readFileSync(path, 'utf8'))
  const name = contextName ?? config['current-context']
  const context = named(config.contexts, name, 'context', path).context
  const cluster = named(config.clusters, context.cluster, 'cluster', path).cluster
  const user = named(config.users, context.user, 'user', path).user ?? {}
  /** @param {Record<string, string>} from @param {string} key */
  const pem = (from, key) => {
    const inline = from[`${key}-data`]
    if (inline) return Buffer.from(inline, 'base64').toString()
    const file = from[key]
    return file ? readFileSync(resolve(dirname(path), file), 'utf8') : undefined
  }
  return {
    server: cluster.server.replace(/\/$/, ''),
    ca: pem(cluster, 'certificate-authority'),
    cert: pem(user, 'client-certificate'),
    key: pem(user, 'client-key'),
    token: user.token,
    namespace: context.namespace,
  }
}

/**
 * @param {{ name: string }[] | undefined} list
 * @param {string} name
 * @param {string} kind
 * @param {string} path
 * @returns {any}
 */
function named(list, name, kind, path) {
  const found = list?.find((entry) => entry.name === name)
  if (!found) throw new Error(`The kubeconfig \`${path}\` has no ${kind} \`${name}\`.`)
  return found
}

/**
 * @param {Credentials} credentials
 * @returns {string} a kubeconfig with one context; JSON is YAML
 */
export function kubeconfigText({ server, ca, cert, key, token, namespace }) {
  /** @param {string | undefined} pem */
  const base64 = (pem) => pem && Buffer.from(pem).toString('base64')
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'test', user: { token, 'client-certificate-data': base64(cert), 'client-key-data': base64(key) } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
  })
}

/**
 * @param {string} path
 * @param {Credentials} credentials
 * @returns {string} the path
 */
export function writeKubeconfig(path, credentials) {
  writeFileSync(path, kubeconfigText(credentials), { mode: 0o600 })
  return path
}
