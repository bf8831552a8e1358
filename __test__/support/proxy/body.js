/** Bodies on their way to the client: whole, cut, in small pieces, or with other objects in them. */

import { setTimeout as pause } from 'node:timers/promises'

const newline = 10

/**
 * The body up to a cut after so many bytes.
 * @param {AsyncIterable<Buffer>} source
 * @param {{ afterBytes: number, midLine?: boolean }} cut
 */
export async function* upTo(source, { afterBytes, midLine = false }) {
  let left = afterBytes
  if (left <= 0) return
  for await (const part of source) {
    const piece = part.subarray(0, left)
    left -= piece.length
    // One byte of the next line more: a line that is cut, not one that is missing.
    if (left === 0 && midLine && piece.at(-1) === newline) left = 1
    const rest = left > 0 ? part.subarray(piece.length, piece.length + left) : part.subarray(0, 0)
    yield piece
    if (rest.length > 0) {
      yield rest
      left -= rest.length
    }
    if (left === 0) return
  }
}

/**
 * The body up to a cut so many bytes behind the end of a text in it.
 * @param {AsyncIterable<Buffer>} source
 * @param {{ afterText: string, afterBytes: number }} cut
 */
export async function* upToText(source, { afterText, afterBytes }) {
  let tail = Buffer.alloc(0)
  let left = Infinity
  for await (const part of source) {
    let piece = part
    if (left === Infinity) {
      const seen = Buffer.concat([tail, part])
      const found = seen.indexOf(afterText)
      if (found >= 0) left = found + afterText.length + afterBytes - tail.length
      tail = seen.subarray(Math.max(0, seen.length - afterText.length + 1))
    }
    piece = part.subarray(0, Math.max(0, left))
    left -= piece.length
    yield piece
    if (left <= 0) return true
  }
  return false
}

/**
 * The body as the client shall see it.
 * @param {import('node:http').IncomingMessage} reply
 * @param {string} verb
 * @param {import('./rules.js').Fault} fault
 * @returns {AsyncIterable<Buffer>}
 */
export function body(reply, verb, { rewrite, drip }) {
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
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      yield rest.toString('utf8', 0, end)
      rest = rest.subarray(end + 1)
    }
  }
}
