'use strict'
// PostToolUse hook: shortens long texts in a tool's output. Usage: node rtk.cjs <limit in bytes>
//
// Any error means no output and exit code 0: the tool's result then stays as it is. The answer has the shape of the
// result; Claude Code ignores anything else.

/** Keeps the head of a text up to a character border, with a marker that says how much is gone. */
function cut(text, limit) {
  const bytes = Buffer.from(text, 'utf8')
  if (bytes.length <= limit) return text
  let end = limit
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--
  return `${bytes.subarray(0, end).toString('utf8')}\n[output shortened: ${bytes.length - end} bytes removed]`
}

/** Cuts every text; images and other base64 data stay whole, half of one is useless. */
function shorten(value, limit) {
  if (typeof value === 'string') return cut(value, limit)
  if (Array.isArray(value)) return value.map((item) => shorten(item, limit))
  if (value === null || typeof value !== 'object') return value
  if (value.isImage === true || value.type === 'image' || value.type === 'base64') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shorten(item, limit)]))
}

try {
  const limit = Number(process.argv[2])
  const input = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
  const before = input.tool_response
  if (before !== undefined && Number.isInteger(limit) && limit > 0) {
    const after = shorten(before, limit)
    if (JSON.stringify(after) !== JSON.stringify(before)) {
      const answer = { hookSpecificOutput: { hookEventName: 'PostToolUse', updatedToolOutput: after } }
      process.stdout.write(JSON.stringify(answer))
    }
  }
} catch {
  // Unchanged output is better than a failed tool call.
}
