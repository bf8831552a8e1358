/**
 * A transcript as one page. Nothing in it runs and nothing is fetched: every text is escaped, and a policy in the page
 * forbids scripts and requests whatever an agent has printed. What is copied from it into a terminal is safe there.
 */

import { visible } from '../terminal.js'
import parser from '../ui-parser.cjs'

/** @typedef {import('@paperclipai/adapter-utils').TranscriptEntry} TranscriptEntry */

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.45 ui-monospace, monospace; margin: .25rem 0 }
article { border-left: 3px solid #8884; padding: .1rem .9rem; margin: .7rem 0 }
article > b { font-size: .8rem; letter-spacing: .04em; text-transform: uppercase; opacity: .65 }
.assistant { border-color: #2a9d5c } .tool { border-color: #c8901f } .result { border-color: #2f6fd0 } .failed { border-color: #c0392b }
.quiet { opacity: .6 } summary { cursor: pointer } table { border-collapse: collapse } td { padding: .1rem 1.2rem .1rem 0 }
`

/** @param {unknown} text */
export function escaped(text) {
  const signs = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return visible(String(text)).replace(/[&<>"']/g, (sign) => signs[/** @type {keyof typeof signs} */ (sign)])
}

/**
 * @param {string} title
 * @param {string} stdout
 * @param {string} stderr
 */
export function transcriptPage(title, stdout, stderr) {
  const entries = stdout.split('\n').filter((line) => line.trim() !== '').flatMap((line) => parser.parseStdoutLine(line, ''))
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${style}</style></head>
<body><h1>${escaped(title)}</h1>
${entries.map(entry).join('\n')}
${stderr.trim() === '' ? '' : block('stderr', 'quiet', pre(stderr))}
</body></html>
`
}

/** @param {TranscriptEntry} one @returns {string} */
function entry(one) {
  switch (one.kind) {
    case 'assistant':
      return block('assistant', 'assistant', pre(one.text))
    case 'thinking':
      return block('thinking', 'quiet', pre(one.text))
    case 'user':
      return block('user', '', pre(one.text))
    case 'tool_call':
      return block(`tool: ${one.name}`, 'tool', folded('input', JSON.stringify(one.input, null, 2) ?? ''))
    case 'tool_result':
      return block(one.isError ? 'tool failed' : 'tool result', one.isError ? 'failed' : 'tool', folded(firstLine(one.content), one.content))
    case 'init':
      return block('init', 'quiet', pre(`model ${one.model}, session ${one.sessionId}`))
    case 'result':
      return block(one.isError ? 'result: failed' : 'result', one.isError ? 'failed' : 'result', pre(one.text) + usage(one) + (one.errors.length > 0 ? pre(one.errors.join('\n')) : ''))
    default:
      return block(one.kind, 'quiet', pre('text' in one ? one.text : JSON.stringify(one)))
  }
}

/** @param {Extract<TranscriptEntry, { kind: 'result' }>} result */
function usage({ inputTokens, outputTokens, cachedTokens, costUsd }) {
  const rows = { 'input tokens': inputTokens, 'output tokens': outputTokens, 'cached tokens': cachedTokens, 'cost (USD)': costUsd }
  return `<table>${Object.entries(rows).map(([name, value]) => `<tr><td>${name}</td><td>${escaped(value)}</td></tr>`).join('')}</table>`
}

/** @param {string} name @param {string} kind @param {string} content */
function block(name, kind, content) {
  return `<article class="${kind}"><b>${escaped(name)}</b>${content}</article>`
}

/** @param {string} text */
function pre(text) {
  return `<pre>${escaped(text)}</pre>`
}

/** @param {string} title @param {string} text */
function folded(title, text) {
  return `<details><summary>${escaped(title)}</summary>${pre(text)}</details>`
}

/** @param {string} text */
function firstLine(text) {
  const [line = ''] = text.trim().split('\n')
  return line.length > 100 ? `${line.slice(0, 100)}…` : line || 'empty'
}
