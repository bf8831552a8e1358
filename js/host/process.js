/** Facts about the calling process, read here because JavaScript owns `process.env`. Nothing is changed. */

import { readFile } from 'node:fs/promises'
import { hostname, networkInterfaces } from 'node:os'

import { adapterVersion } from '../identity.js'
import { sharedState } from '../native/shared.js'

/** Names outside `PAPERCLIP_*` that the native side reads. */
const names = [
  'HOSTNAME',
  'KUBECONFIG',
  'KUBERNETES_SERVICE_HOST',
  'KUBERNETES_SERVICE_PORT',
  'POD_IP',
  'POD_NAME',
  'POD_NAMESPACE',
  'PORT',
]

/** Values under such a name are credentials. Those of the server never cross the border (PRM-06). */
export const credential = /key|token|secret|passw(or)?d|authorization|cookie|credential/i

/** What an agent may inherit from the server: only to be hidden in what the agent prints. */
const inheritable =
  /^(ANTHROPIC_|CLAUDE_|VERTEX_|AWS_BEARER_TOKEN_BEDROCK$|GH_TOKEN$|GITHUB_TOKEN$|(https?|all)_proxy$|(HTTPS?|ALL)_PROXY$)/

/** @returns {Promise<import('../types.d.ts').HostProcess>} */
export async function hostProcess() {
  return {
    pid: process.pid,
    startedAtMs: startedAtMs(),
    machineId: await machineId(),
    env: readableEnvironment(process.env),
    envNames: Object.keys(process.env),
    addresses: addresses(),
    adapterVersion,
    inheritable: inheritableValues(process.env),
    userId: process.getuid?.(),
    groupId: process.getgid?.(),
  }
}

/** @param {NodeJS.ProcessEnv} environment */
export function readableEnvironment(environment) {
  /** @type {Record<string, string>} */
  const readable = {}
  for (const [name, value] of Object.entries(environment)) {
    const wanted = names.includes(name) || (name.startsWith('PAPERCLIP_') && !credential.test(name))
    if (wanted && value !== undefined) readable[name] = value
  }
  return readable
}

/** By one of them a pod is found whose host name is not its own: one on the node's network, for example. */
function addresses() {
  const all = Object.values(networkInterfaces()).flatMap((found) => found ?? [])
  return all.filter(({ internal }) => !internal).map(({ address }) => address)
}

/** @param {NodeJS.ProcessEnv} environment */
export function inheritableValues(environment) {
  const wanted = Object.entries(environment).filter(([name, value]) => value && inheritable.test(name))
  return /** @type {Record<string, string>} */ (Object.fromEntries(wanted))
}

/** Computed once per process: with the pid it is the process's identity, and the wall clock may step between two runs. */
function startedAtMs() {
  return (sharedState().processStartedAtMs ??= Math.round(Date.now() - process.uptime() * 1000))
}

/** Containers of one image may share the machine id, and machines may share a host name: only both together identify. */
async function machineId() {
  const id = await readFile('/etc/machine-id', 'utf8').catch(() => '')
  return [id.trim(), hostname()].filter(Boolean).join('/')
}
