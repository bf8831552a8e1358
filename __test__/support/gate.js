/**
 * Accounts for the simulator, which knows only one user: checks the token and the Role of each request and passes it on.
 *
 * ```text
 * adapter ──token──▶ gate ──▶ simulator        administrator ──▶ simulator
 *                     ├ 401 unknown token, 403 verb that no rule grants (in the words of RBAC)
 *                     ├ answers SelfSubjectAccessReviews from the same rules
 *                     └ keeps what each account has asked for, as an audit log does
 * ```
 */

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import { json } from 'node:stream/consumers'

import { meaningOf } from './requests.js'

/** @typedef {import('./manifests.js').RoleRule} RoleRule */
/** @typedef {import('./requests.js').SeenRequest} SeenRequest */
/** @typedef {{ user: string, namespace: string, rules: RoleRule[], requests: SeenRequest[] }} Account */
/** @typedef {{ verb: string, group: string, resource: string, namespace: string, name: string }} Wish */

const reviewPath = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'

/** @param {string} server base URL of the simulator */
export async function startGate(server) {
  const target = new URL(server)
  const agent = new http.Agent({ keepAlive: false })
  /** @type {Map<string, Account>} */
  const accounts = new Map()

  /** @type {http.RequestListener} */
  async function serve(request, response) {
    const path = request.url ?? '/'
    const account = accounts.get((request.headers.authorization ?? '').replace(/^Bearer /, ''))
    if (!account) return refuse(response, 401, 'Unauthorized', 'Unauthorized')
    /** @type {SeenRequest} */
    const seen = { at: Date.now(), ...meaningOf(request.method ?? 'GET', path) }
    account.requests.push(seen)
    response.on('finish', () => (seen.status ??= response.statusCode))
    if (path.split('?')[0] === reviewPath) return review(request, response, account)
    const wish = wishOf(seen, path)
    if (!allows(account, wish)) {
      seen.forbidden = true
      const message = `${wish.resource} is forbidden: User "${account.user}" cannot ${wish.verb} resource "${wish.resource}" in API group "${wish.group}" in the namespace "${wish.namespace}"`
      return refuse(response, 403, 'Forbidden', message)
    }
    forward(request, response, seen)
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   * @param {SeenRequest} seen
   */
  function forward(request, response, seen) {
    const { authorization, connection, host, ...headers } = request.headers
    const { hostname, port } = target
    const ask = http.request({ hostname, port, path: request.url, method: request.method, headers, agent })
    ask.on('response', (reply) => {
      seen.status = reply.statusCode
      const { connection, 'keep-alive': keepAlive, 'transfer-encoding': encoding, ...passed } = reply.headers
      response.writeHead(reply.statusCode ?? 502, passed)
      response.flushHeaders()
      reply.pipe(response)
      reply.on('error', () => response.socket?.resetAndDestroy())
    })
    ask.on('error', () => response.socket?.resetAndDestroy())
    response.on('close', () => ask.destroy())
    request.pipe(ask)
  }

  const gate = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    Promise.resolve(serve(request, response)).catch(() => response.socket?.resetAndDestroy())
  })
  gate.listen(0, '127.0.0.1')
  await once(gate, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (gate.address())

  return {
    url: `http://127.0.0.1:${port}`,
    /**
     * @param {string} namespace
     * @param {string} name
     * @param {RoleRule[]} rules
     * @returns {string} the account's token
     */
    addAccount(namespace, name, rules) {
      const token = randomUUID()
      accounts.set(token, { user: `system:serviceaccount:${namespace}:${name}`, namespace, rules, requests: [] })
      return token
    },
    /** @param {string} user */
    requests: (user) => [...accounts.values()].filter((account) => account.user === user).flatMap((account) => account.requests),
    async stop() {
      agent.destroy()
      gate.close()
      gate.closeAllConnections()
      await once(gate, 'close')
    },
  }
}

/**
 * @param {Account} account
 * @param {Wish} wish
 */
const allows = ({ namespace, rules }, wish) =>
  wish.resource.startsWith('/') || // discovery
  (wish.namespace === namespace &&
    rules.some(
      ({ apiGroups, resources, resourceNames, verbs }) =>
        apiGroups.includes(wish.group) &&
        resources.includes(wish.resource) &&
        verbs.includes(wish.verb) &&
        (resourceNames === undefined || resourceNames.includes(wish.name)),
    ))

/**
 * @param {{ verb: string, resource: string }} meaning
 * @param {string} path
 * @returns {Wish}
 */
function wishOf({ verb, resource }, path) {
  const parts = (path.split('?')[0] ?? '').split('/').filter(Boolean)
  const isCore = parts[0] === 'api'
  const [, namespace = '', , name = ''] = parts.slice(isCore ? 2 : 3)
  return { verb, group: isCore ? '' : (parts[1] ?? ''), resource, namespace, name }
}

/**
 * @param {http.IncomingMessage} request
 * @param {http.ServerResponse} response
 * @param {Account} account
 */
async function review(request, response, account) {
  const asked = /** @type {any} */ (await json(request))
  const { verb = '', group = '', resource = '', subresource, namespace = '', name = '' } = asked.spec?.resourceAttributes ?? {}
  const wish = { verb, group, resource: subresource ? `${resource}/${subresource}` : resource, namespace, name }
  response.writeHead(201, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ ...asked, status: { allowed: allows(account, wish) } }))
}

/**
 * @param {http.ServerResponse} response
 * @param {number} code
 * @param {string} reason
 * @param {string} message
 */
function refuse(response, code, reason, message) {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }))
}
