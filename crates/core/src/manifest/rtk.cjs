// PostToolUse hook of Claude Code: shortens long texts of a tool's output before the model reads them.
// Usage: node rtk.cjs LIMIT < hook input. Prints nothing, and so changes nothing, unless a text was cut.
'use strict'

const { readFileSync } = require('node:fs')

/** Objects of these types hold encoded files: half of one is worth nothing. */
const encodedTypes = new Set(['image', 'audio', 'pdf', 'document'])

/**
 * @param {string} input the hook's stdin
 * @param {number} limit bytes that are kept of each text
 * @returns {string} the hook's stdout
 */
function shortenOutput(input, limit) {
  const { tool_response: response } = JSON.parse(input)
  let cut = false

  // The CLI accepts only the shape that the tool itself gave (docs/internals/claude.md 14), so everything but texts stays.
  /** @type {(value: unknown) => unknown} */
  const shorten = (value) => {
    if (typeof value === 'string') {
      const shortened = cutText(value, limit)
      cut ||= shortened !== value
      return shortened
    }
    if (Array.isArray(value)) return value.map(shorten)
    if (typeof value !== 'object' || value === null || isEncoded(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shorten(member)]))
  }

  const updatedToolOutput = shorten(response)
  if (!cut) return ''
  return JSON.stringify({ hookSpecificOutput: { hookEventName: 'PostToolUse', updatedToolOutput } })
}

/**
 * @param {string} text
 * @param {number} limit
 */
function cutText(text, limit) {
  // A UTF-16 unit is at most three bytes: most texts need no encoding to be known as short.
  if (text.length * 3 <= limit) return text
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length <= limit) return text
  let end = limit
  while (end > 0 && isContinuation(bytes[end])) end -= 1
  return `${bytes.toString('utf8', 0, end)}\n[paperclip] output shortened: ${bytes.length - end} bytes removed`
}

/** @param {number | undefined} byte */
function isContinuation(byte) {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

/** @param {{ type?: unknown, isImage?: unknown }} value */
function isEncoded(value) {
  return value.isImage === true || (typeof value.type === 'string' && encodedTypes.has(value.type))
}

// A hook that fails would cost the run a tool result, so every failure leaves the output as it was.
try {
  const limit = Number(process.argv[2])
  if (Number.isSafeInteger(limit) && limit > 0) {
    process.stdout.on('error', () => {})
    process.stdout.write(shortenOutput(readFileSync(0, 'utf8'), limit))
  }
} catch {
  process.exitCode = 0
}
