/**
 * A fault proxy between the adapter and an API server.
 *
 * ```text
 * adapter ──plain HTTP──▶ proxy ──credentials of the account, TLS if the server has it──▶ API server
 *                          │ first rule that matches decides: delay, answer, break off, drip, rewrite
 *                          └ every request is in `requests`
 * ```
 *
 * Bodies are streamed with back-pressure; only a rule that rewrites objects reads a whole (non-watch) answer.
 */

import { once } from 'node:events'
import http from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

import { requestOptions, transportOf } from './kube-api.js'
import { kubeconfigText } from './kubeconfig.js'
import { seeded } from './random.js'
import { meaningOf } from './requests.js'

/** @typedef {import('./kubeconfig.js').Credentials} Credentials */
/** @typedef {import('./requests.js').SeenRequest} SeenRequest */

/**
 * How an open answer ends: `end` closes it cleanly, `reset` kills the connection, `stall` keeps it open and silent for
 * ever, `gone` sends a watch the error 410 and ends it.
 * @typedef {'end' | 'reset' | 'stall' | 'gone'} BreakOff
 */

/**
 * Which requests. Members that are absent match everything.
 * @typedef {object} Match
 * @property {string | RegExp} [verb]
 * @property {string | RegExp} [resource]
 * @property {RegExp} [path] with query
 * @property {number} [times] the rule applies that often
 * @property {number} [chance] probability for each request, from the proxy's seed
 */

/**
 * What happens to them.
 * @typedef {object} Fault
 * @property {number} [delayMs] before anything else
 * @property {number} [status] answered without asking the server
 * @property {number} [retryAfterSec] header `Retry-After` of that answer
 * @property {BreakOff} [breakOff] immediately, or after:
 * @property {number | [number, number]} [afterBytes] of the body; a pair is a range to draw from
 * @property {number} [afterMs] since the answer's headers
 * @property {{ bytes: number, everyMs: number }} [drip] passes the body on in small pieces
 * @property {(object: any) => any} [rewrite] of each object read; `null` hides it
 */

/**
 * @typedef {SeenRequest & {
 *   path: string, bytes: number, endedAt?: number,
 *   breakOff: (how: BreakOff) => void,
 * }} ProxiedRequest one request; `breakOff` does something only while its answer is open
 */

/** @typedef {Match & Fault & { hits: number }} Rule */

/** @typedef {Awaited<ReturnType<typeof startProxy>>} Proxy */

const connectionHeaders = new Set(['connection', 'keep-alive', 'transfer-encoding', 'host', 'authorization', 'accept-encoding'])

/** @param {http.IncomingHttpHeaders} headers */
const withoutConnection = (headers) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !connectionHeaders.has(name)))

/** @param {string | RegExp | undefined} wanted @param {string} value */
const fits = (wanted, value) =>
  wanted === undefined || (typeof wanted === 'string' ? wanted === value : wanted.test(value))

/** @param {number} code @param {string} reason @param {string} message @param {string} [kind] plural of what was asked for */
const statusObject = (code, reason, message, kind) =>
  ({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details: { kind }, code })

const reasons = new Map([
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [410, 'Expired'],
  [429, 'TooManyRequests'],
  [503, 'ServiceUnavailable'],
])

/**
 * @param {object} options
 * @param {Credentials} options.upstream
 * @param {number} [options.seed]
 */
export async function startProxy({ upstream, seed = 1 }) {
  const random = seeded(seed)
  const transport = transportOf(upstream)
  // A connection of its own for each request: a stale one would be a fault that nobody ordered.
  const agent = new transport.Agent({ keepAlive: false })
  /** @type {Rule[]} */
  const rules = []
  /** @type {ProxiedRequest[]} */
  const requests = []

  /** @param {SeenRequest & { path: string }} request */
  function ruleFor(request) {
    const rule = rules.find(
      ({ verb, resource, path, times = Infinity, chance = 1, hits }) =>
        hits < times && fits(verb, request.verb) && fits(resource, request.resource) && fits(path, request.path) && random() < chance,
    )
    if (rule) rule.hits++
    return rule
  }

  /** @param {number | [number, number] | undefined} wanted */
  const drawn = (wanted) =>
    Array.isArray(wanted) ? Math.floor(wanted[0] + random() * (wanted[1] - wanted[0])) : wanted

  /** @type {http.RequestListener} */
  function serve(request, response) {
    const path = request.url ?? '/'
    /** @type {ProxiedRequest} */
    const seen = { at: Date.now(), path, ...meaningOf(request.method ?? 'GET', path), bytes: 0, breakOff: () => {} }
    requests.push(seen)
    response.on('close', () => (seen.endedAt = Date.now()))
    forward(request, response, seen, ruleFor(seen)).catch(() => response.socket?.resetAndDestroy())
  }

  /**
   * @param {http.IncomingMessage} request
   * @param {http.ServerResponse} response
   * @param {ProxiedRequest} seen
   * @param {Rule | undefined} rule
   */
  async function forward(request, response, seen, rule) {
    if (rule?.delayMs) await pause(rule.delayMs)
    if (rule?.status) return answer(response, seen, rule)
    const ask = transport.request({
      ...requestOptions(upstream, seen.path),
      method: request.method,
      agent,
      headers: { ...withoutConnection(request.headers), ...requestOptions(upstream, seen.path).headers },
    })
    response.on('close', () => ask.destroy())
    request.pipe(ask)
    const [reply] = /** @type {[http.IncomingMessage]} */ (await once(ask, 'response'))
    seen.status = reply.statusCode
    const headers = withoutConnection(reply.headers)
    if (rule) delete headers['content-length']
    response.writeHead(reply.statusCode ?? 502, headers)
    response.flushHeaders()
    await relay(reply, response, seen, rule ?? {})
  }

  /**
   * Passes the body on until it ends, is broken off or the client has gone.
   * @param {http.IncomingMessage} reply
   * @param {http.ServerResponse} response
   * @param {ProxiedRequest} seen
   * @param {Fault} fault
   */
  async function relay(reply, response, seen, fault) {
    /** @type {BreakOff | undefined} */
    let broken
    seen.breakOff = (how) => {
      broken ??= how
      reply.destroy()
    }
    const limit = fault.breakOff && fault.afterMs === undefined ? (drawn(fault.afterBytes) ?? 0) : Infinity
    const timer = fault.breakOff && fault.afterMs !== undefined && setTimeout(seen.breakOff, fault.afterMs, fault.breakOff)
    try {
      for await (const part of limit > 0 ? body(reply, seen.verb, fault) : []) {
        const piece = part.subarray(0, limit - seen.bytes)
        await written(response, piece)
        seen.bytes += piece.length
        if (seen.bytes >= limit) break
      }
      if (seen.bytes >= limit && fault.breakOff) seen.breakOff(fault.breakOff)
    } catch (error) {
      if (!broken) throw error
    } finally {
      if (timer) clearTimeout(timer)
    }
    finish(response, broken ?? 'end')
  }

  /**
   * @param {http.ServerResponse} response
   * @param {BreakOff} how
   */
  function finish(response, how) {
    if (how === 'reset') response.socket?.resetAndDestroy()
    else if (how === 'end') response.end()
    else if (how === 'gone') {
      response.end(`${JSON.stringify({ type: 'ERROR', object: statusObject(410, 'Expired', 'too old resource version') })}\n`)
    }
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
    /**
     * Adds a rule; earlier rules win.
     * @param {Match & Fault} rule
     */
    rule(rule) {
      const added = { ...rule, hits: 0 }
      rules.push(added)
      return {
        get hits() {
          return added.hits
        },
        remove() {
          rules.splice(rules.indexOf(added), 1)
        },
      }
    },
    /**
     * Requests of one kind.
     * @param {Pick<Match, 'verb' | 'resource' | 'path'>} match
     */
    matching: ({ verb, resource, path }) =>
      requests.filter((request) => fits(verb, request.verb) && fits(resource, request.resource) && fits(path, request.path)),
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
 * @param {Fault} fault
 */
function answer(response, seen, { status = 500, retryAfterSec }) {
  seen.status = status
  const reason = reasons.get(status) ?? 'InternalError'
  if (retryAfterSec !== undefined) response.setHeader('retry-after', retryAfterSec)
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(statusObject(status, reason, `fault proxy: ${seen.verb} ${seen.resource}`, seen.resource)))
}

/**
 * Settles when the piece has left for the client: the back-pressure of the whole proxy.
 * @param {http.ServerResponse} response
 * @param {Buffer} piece
 * @returns {Promise<void>}
 */
const written = (response, piece) =>
  new Promise((resolve, reject) => response.write(piece, (error) => (error ? reject(error) : resolve())))

/**
 * The body as the client shall see it.
 * @param {http.IncomingMessage} reply
 * @param {string} verb
 * @param {Fault} fault
 * @returns {AsyncIterable<Buffer>}
 */
function body(reply, verb, { rewrite, drip }) {
  const isJson = reply.headers['content-type']?.includes('json')
  const whole = rewrite && isJson ? rewritten(reply, verb, rewrite) : reply
  return drip ? dripped(whole, drip) : whole
}

/**
 * @param {AsyncIterable<Buffer>} source
 * @param {{ bytes: number, everyMs: number }} drip
 */
async function* dripped(source, { bytes, everyMs }) {
  for await (const part of source) {
    for (let from = 0; from < part.length; from += bytes) {
      yield part.subarray(from, from + bytes)
      await pause(everyMs)
    }
  }
}

/**
 * @param {AsyncIterable<Buffer>} source
 * @param {string} verb
 * @param {(object: any) => any} rewrite
 */
async function* rewritten(source, verb, rewrite) {
  if (verb === 'watch') {
    for await (const line of linesOf(source)) {
      const event = JSON.parse(line)
      const isObject = event.type !== 'BOOKMARK' && event.type !== 'ERROR'
      const object = isObject ? rewrite(event.object) : event.object
      if (object !== null) yield Buffer.from(`${JSON.stringify({ ...event, object })}\n`)
    }
    return
  }
  const parts = []
  for await (const part of source) parts.push(part)
  const answered = JSON.parse(Buffer.concat(parts).toString())
  const isList = Array.isArray(answered.items)
  const items = isList && answered.items.map(rewrite).filter((/** @type {unknown} */ item) => item !== null)
  yield Buffer.from(JSON.stringify(isList ? { ...answered, items } : (rewrite(answered) ?? answered)))
}

/** @param {AsyncIterable<Buffer>} source */
async function* linesOf(source) {
  let rest = Buffer.alloc(0)
  for await (const part of source) {
    rest = Buffer.concat([rest, part])
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.toString('utf8', 0, end)
      rest = rest.subarray(end + 1)
    }
  }
}
