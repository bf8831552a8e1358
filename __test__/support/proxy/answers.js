/** What the proxy says itself, in the words of an API server. */

/** @typedef {import('./rules.js').Fault} Fault */
/** @typedef {import('./rules.js').BreakOff} BreakOff */

const reasons = new Map([
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [409, 'Conflict'],
  [410, 'Expired'],
  [429, 'TooManyRequests'],
  [503, 'ServiceUnavailable'],
])

/** @param {number} code @param {string} message @param {string} [kind] plural of what was asked for @param {string} [reason] */
const statusObject = (code, message, kind, reason = reasons.get(code)) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason: reason ?? 'InternalError',
  details: { kind },
  code,
})

/**
 * Answers without asking the server.
 * @param {import('node:http').ServerResponse} response
 * @param {import('../requests.js').SeenRequest} seen
 * @param {Fault} fault
 */
export function answer(response, seen, { status = 500, retryAfterSec, reason, message = `fault proxy: ${seen.verb} ${seen.resource}`, page, text }) {
  if (text !== undefined) {
    response.writeHead(200, { 'content-type': 'text/plain' })
    return response.end(text)
  }
  seen.status = status
  if (page) {
    response.writeHead(status, { 'content-type': 'text/html' })
    return response.end(`<html><head><title>${status}</title></head><body><h1>${status}</h1>proxy</body></html>\n`)
  }
  if (retryAfterSec !== undefined) response.setHeader('retry-after', retryAfterSec)
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(statusObject(status, message, seen.resource, reason)))
}

/**
 * Ends an open answer; a stall is that nothing happens.
 * @param {import('node:http').ServerResponse} response
 * @param {BreakOff} how
 */
export function finish(response, how) {
  if (how === 'reset') response.socket?.resetAndDestroy()
  else if (how === 'end') response.end()
  else if (how === 'gone') {
    response.end(`${JSON.stringify({ type: 'ERROR', object: statusObject(410, 'too old resource version') })}\n`)
  }
}
