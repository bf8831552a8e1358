/** The ring with a real cluster: `K8S_TEST_KUBECONFIG` names a kubeconfig of an administrator. */

import { readFileSync, statSync } from 'node:fs'

import { readKubeconfig } from './kubeconfig.js'

/** @typedef {import('./requests.js').SeenRequest} SeenRequest */

/**
 * What a ring gives to `startCluster`.
 * @typedef {object} Ring
 * @property {'real' | 'simulator'} name
 * @property {import('./kubeconfig.js').Credentials} admin
 * @property {string} image runs the stand-in CLI
 * @property {(user: string, sinceMs: number) => Promise<SeenRequest[]>} requests of one account, in order of arrival
 * @property {() => Promise<void>} stop
 */

/**
 * @param {string} kubeconfig
 * @param {string} [context]
 * @returns {Ring}
 */
export function realCluster(kubeconfig, context) {
  const auditLog = process.env.K8S_TEST_AUDIT_LOG
  const from = auditLog ? statSync(auditLog).size : 0
  return {
    name: 'real',
    admin: readKubeconfig(kubeconfig, context),
    image: process.env.K8S_TEST_IMAGE ?? 'localhost/fake-claude:test',
    async requests(user, sinceMs) {
      if (!auditLog) throw new Error('Counting requests needs `K8S_TEST_AUDIT_LOG`, the path of the API server\'s audit log.')
      return requestsIn(readFileSync(auditLog).subarray(from).toString(), user, sinceMs)
    },
    async stop() {},
  }
}

/**
 * @param {string} auditLog one JSON event per line; the last one may be half written
 * @param {string} user
 * @param {number} sinceMs
 */
function requestsIn(auditLog, user, sinceMs) {
  /** @type {Map<string, SeenRequest>} */
  const byId = new Map()
  for (const line of auditLog.slice(0, auditLog.lastIndexOf('\n') + 1).split('\n')) {
    if (!line.includes(user)) continue
    const event = JSON.parse(line)
    const at = Date.parse(event.requestReceivedTimestamp)
    if (event.user?.username !== user || at < sinceMs) continue
    const { resource = event.requestURI, subresource } = event.objectRef ?? {}
    // A stream is in the log twice, when it starts and when it ends.
    byId.set(event.auditID, {
      at,
      verb: event.verb,
      resource: subresource ? `${resource}/${subresource}` : resource,
      status: event.responseStatus?.code,
    })
  }
  return [...byId.values()].sort((one, other) => one.at - other.at)
}
