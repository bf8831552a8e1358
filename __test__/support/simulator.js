/**
 * The ring without a cluster: the simulator `k8s-sim`, whose containers are processes of this machine.
 *
 * ```text
 * adapter ──token──▶ gate (accounts, Roles, audit) ──▶ k8s-sim ◀── administrator
 * ```
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { startGate } from './gate.js'
import { deployObjects } from './manifests.js'

const binary = fileURLToPath(new URL('../../target/debug/k8s-sim', import.meta.url))
/** Where containers find `claude`. */
const programs = fileURLToPath(new URL('../fixtures/fake-claude', import.meta.url))
const image = 'localhost/fake-claude:test'

/** @returns {Promise<import('./real-cluster.js').Ring>} */
export async function startSimulator() {
  if (!existsSync(binary)) throw new Error('The simulator is missing: run `npm run build:simulator`.')
  // The open stdin is its lifeline: it ends with this process, whatever happens to it.
  const simulator = spawn(binary, ['--image', `${image}=${programs}`], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(simulator, 'exit')
  const firstLine = once(createInterface(simulator.stdout), 'line')
  const ready = await Promise.race([firstLine, ended.then(([code]) => { throw new Error(`k8s-sim ended with code ${code}.`) })])
  const { url } = JSON.parse(ready[0])
  const gate = await startGate(url)

  return {
    name: 'simulator',
    admin: { server: url },
    image,
    async createAccount(_, { namespace, name, role }) {
      const rules = deployObjects().find(({ object }) => object.kind === 'Role')?.object.rules
      return { server: gate.url, token: gate.addAccount(namespace, name, role(rules)), namespace }
    },
    async createClaim(api, namespace, name) {
      const spec = { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '1Gi' } } }
      await api.create(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, { metadata: { name }, spec })
    },
    async removeClaim() {},
    // The simulator's scheduler looks at no selector; it can be told to find no node.
    async withoutNode(api) {
      const message = '0/1 nodes are available: 1 node(s) didn\'t match Pod\'s node affinity/selector.'
      await api.create('/_sim/holds', { kind: 'scheduling', message })
      return { config: { nodeSelector: { 'no-such': 'node' } }, release: () => api.remove('/_sim/holds/scheduling') }
    },
    countsRequests: true,
    requests: async (user, sinceMs) => gate.requests(user).filter(({ at }) => at >= sinceMs),
    async stop() {
      await gate.stop()
      simulator.stdin.end()
      await ended
    },
  }
}
