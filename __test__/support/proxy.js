/**
 * A fault proxy between the adapter and an API server, the simulator's or a real one.
 *
 * ```text
 * adapter ──plain HTTP──▶ proxy ──credentials of the account, TLS if the server has it──▶ API server
 *                          │ proxy/rules.js    the first rule that matches decides
 *                          │ proxy/answers.js  delay, no answer, a status instead of the server's
 *                          │ proxy/body.js     cut, drip, rewrite; always with back-pressure
 *                          └ every request and what was done to it is in `requests`
 * ```
 */

import { once } from 'node:events'
import http from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

import { requestOptions, transportOf } from './kube-api.js'
import { kubeconfigText } from './kubeconfig.js'
import { answer, finish } from './proxy/answers.js'
import { body, upTo, upToText } from './proxy/body.js'
import { matches, startRules } from './proxy/rules.js'
import { meaningOf } from './requests.js'

/** @typedef {import('./kubeconfig.js').Credentials} Credentials */
/** @typedef {import('./requests.js').SeenRequest} SeenRequest */
/** @typedef {import('./proxy/rules.js').BreakOff} BreakOff */
/** @typedef {import('./proxy/rules.js').Match} Match */
/** @typedef {import('./proxy/rules.js').Fault} Fault */
/** @typedef {Fault & { afterBytes?: number, afterMs?: number }} DrawnFault */

/**
 * @typedef {SeenRequest & {
 *   path: string, bytes: number, endedAt?: number, fault?: DrawnFault, brokenOff?: BreakOff,
 *   breakOff: (how: BreakOff) => void,
 * }} ProxiedRequest one request; `breakOff` does something only while its answer is open
 */

/** @typedef {Awaited<ReturnType<typeof startProxy>>} Proxy */

const connectionHeaders = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'authorization', 'accept-encoding'])

/** @param {http.IncomingHttpHeaders} headers */
const withoutConnection = (headers) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !connectionHeaders.has(name)))

/**
 * @param {object} options
 * @param {Credentials} options.upstream
 * @param {number} [options.seed]
 */
export async function startProxy({ upstream, seed = 1 }) {
  const rules = startRules(seed)
  const transport = transportOf(upstream)
  // A connection of its own for each request: a stale one would be a fault that nobody ordered.
  const agent = new transport.Agent({ keepAlive: false })
  /** @type {ProxiedRequest[]} */
  const requests = []

  /** @type {http.RequestListener} */
  function serve(request, response) {
    const path = request.url ?? '/'
    /** @type {ProxiedRequest} */
    const seen = { at: Date.now(), path, ...meaningOf(request.method ?? 'GET', path), bytes: 0, breakOff: () => {} }
    requests.push(seen)
    seen.fault = rules.faultFor(seen)
    response.on('close', () => (seen.endedAt = Date.now()))
    forward(request, response, seen, seen.fault).catch(() => response.socket?.resetAndDestroy())
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   * @param {ProxiedRequest} seen
   * @param {DrawnFault} [fault]
   */
  async function forward(request, response, seen, fault) {
    if (fault?.delayMs) await pause(fault.delayMs)
    if (fault?.hang) return
    const isReplaced = fault?.reset || fault?.status || fault?.text !== undefined
    if (isReplaced && !fault.done) return replaced(response, seen, fault)
    const ask = transport.request({
      ...requestOptions(upstream, seen.path),
      method: request.method,
      agent,
      headers: { ...withoutConnection(request.headers), ...requestOptions(upstream, seen.path).headers },
    })
    response.on('close', () => ask.destroy())
    // A server that hangs up, at whatever moment, is a fault that the client shall see.
    ask.on('error', () => response.socket?.resetAndDestroy())
    request.pipe(ask)
    const [reply] = /** @type {[http.IncomingMessage]} */ (await once(ask, 'response'))
    if (isReplaced) {
      reply.destroy()
      return replaced(response, seen, fault)
    }
    seen.status = reply.statusCode
    const headers = withoutConnection(reply.headers)
    if (fault) delete headers['content-length']
    response.writeHead(reply.statusCode ?? 502, headers)
    response.flushHeaders()
    await relay(reply, response, seen, fault ?? {})
  }

  const server = http.createServer({ keepAliveTimeout: 0 }, serve)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const url = `http://127.0.0.1:${port}`

  return {
    url,
    /** Every request so far, in order of arrival. */
    requests,
    /** A kubeconfig, as text, that leads through this proxy. */
    kubeconfig: kubeconfigText({ server: url, namespace: upstream.namespace }),
    rule: rules.add,
    /**
     * Requests of one kind.
     * @param {Pick<Match, 'verb' | 'resource' | 'path'>} match
     */
    matching: (match) => requests.filter((request) => matches(match, request)),
    /** Kills every connection and refuses new ones until `accept`. */
    async refuse() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
    async accept() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    async stop() {
      agent.destroy()
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

/**
 * @param {http.ServerResponse} response
 * @param {ProxiedRequest} seen
 * @param {DrawnFault} fault
 */
function replaced(response, seen, fault) {
  if (fault.reset) response.socket?.resetAndDestroy()
  else answer(response, seen, fault)
}

/**
 * Passes the body on until it ends, is broken off or the client has gone.
 * @param {http.IncomingMessage} reply
 * @param {http.ServerResponse} response
 * @param {ProxiedRequest} seen
 * @param {DrawnFault} fault
 */
async function relay(reply, response, seen, fault) {
  seen.breakOff = (how) => {
    seen.brokenOff ??= how
    reply.destroy()
  }
  const { breakOff, afterMs, afterText, midLine } = fault
  const cut = { afterBytes: breakOff && afterMs === undefined ? (fault.afterBytes ?? 0) : Infinity, midLine }
  const timer = breakOff && afterMs !== undefined && setTimeout(seen.breakOff, afterMs, breakOff)
  const whole = body(reply, seen.verb, fault)
  const pieces = breakOff && afterText ? upToText(whole, { afterText, afterBytes: cut.afterBytes }) : upTo(whole, cut)
  try {
    let next = await pieces.next()
    for (; !next.done; next = await pieces.next()) {
      await written(response, next.value)
      seen.bytes += next.value.length
    }
    if (breakOff && (afterText ? next.value : seen.bytes >= cut.afterBytes)) seen.breakOff(breakOff)
  } catch (error) {
    if (!seen.brokenOff) throw error
  } finally {
    if (timer) clearTimeout(timer)
  }
  finish(response, seen.brokenOff ?? 'end')
}

/**
 * Settles when the piece has left for the client: the back-pressure of the whole proxy.
 * @param {http.ServerResponse} response
 * @param {Buffer} piece
 * @returns {Promise<void>}
 */
const written = (response, piece) =>
  new Promise((resolve, reject) => response.write(piece, (error) => (error ? reject(error) : resolve())))
