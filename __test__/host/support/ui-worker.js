/**
 * The server's own transcript worker, taken from the scripts of its web page and run as a browser's worker would be.
 */

import vm from 'node:vm'

/** How the worker's source begins and ends within the page's scripts: a template literal. */
const workerSource = /`([^`]*self\.onmessage = function(?:[^`\\]|\\.)*)`/s

/**
 * @param {string} url of the server
 * @returns {Promise<string>} the worker's source
 */
export async function findWorkerSource(url) {
  /** @type {Set<string>} */
  const seen = new Set()
  let wanted = ['/']
  while (wanted.length > 0) {
    const texts = await Promise.all(wanted.map(async (path) => ({ path, text: await (await fetch(new URL(path, url))).text() })))
    /** @type {string[]} */
    const next = []
    for (const { path, text } of texts) {
      const literal = text.includes('parseStdoutLine') ? workerSource.exec(text)?.[1] : undefined
      if (literal) return vm.runInNewContext(`\`${literal}\``)
      for (const [, name] of text.matchAll(/["'(](?:\.?\/)?((?:assets\/)?[\w.-]+\.js)["')]/g)) {
        const script = new URL(/** @type {string} */ (name), new URL(path, url))
        if (!script.pathname.includes('/assets/assets/') && !seen.has(script.pathname)) next.push(script.pathname)
        seen.add(script.pathname)
      }
    }
    wanted = next
  }
  throw new Error('None of the scripts of the web page has the transcript worker.')
}

/**
 * Entries of the transcript as the page gets them.
 * @param {string} workerText
 * @param {string} parserText what the server sends as `ui-parser.js`
 * @param {string[]} lines
 * @returns {Record<string, any>[]}
 */
export function parseInWorker(workerText, parserText, lines) {
  /** @type {any[]} */
  const answers = []
  const self = vm.createContext({ postMessage: (/** @type {unknown} */ message) => answers.push(message) })
  vm.runInContext(`globalThis.self = globalThis;\n${workerText}`, self)
  self['onmessage']({ data: { type: 'init', source: parserText } })
  if (answers[0]?.type !== 'ready') throw new Error(`The worker did not take the parser: ${JSON.stringify(answers)}`)
  for (const [id, line] of lines.entries()) self['onmessage']({ data: { type: 'parse', id, line, ts: '2026-01-01T00:00:00.000Z' } })
  // Through JSON, as a worker's messages are copies.
  return JSON.parse(JSON.stringify(answers.slice(1).flatMap(({ entries }) => entries)))
}
