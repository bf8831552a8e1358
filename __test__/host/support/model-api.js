/**
 * Stands between the CLI and the fake model API: keeps what was asked, decides which scenario answers the next request,
 * and can withhold an answer until a test has looked at the run.
 *
 * ```text
 * CLI ──/AGENT/v1/messages──▶ here ──/s/SCENARIO/v1/messages──▶ fake model API
 * ```
 */

import { once } from 'node:events'
import http from 'node:http'
import { buffer } from 'node:stream/consumers'

import { needed } from './environment.js'
import { podsAddress } from './host-tool.js'

/** @typedef {Awaited<ReturnType<typeof startModelApi>>} ModelApi */

/**
 * One request for an answer.
 * @typedef {object} Question
 * @property {string | undefined} session the CLI's own id of it
 * @property {any} body
 */

/**
 * What one agent gets.
 * @typedef {object} Part
 * @property {string[]} scenarios of the next requests; the last one stays
 * @property {Question[]} questions
 * @property {Map<number, Promise<void>>} gates by the number of the request
 */

export async function startModelApi() {
  const upstream = needed('K8S_TEST_FAKE_API')
  /** @type {Map<string, Part>} */
  const parts = new Map()
  /** What was asked and has no answer yet. @type {Set<string>} */
  const open = new Set()

  const server = http.createServer(async (request, response) => {
    try {
      await answer(request, response)
    } catch (error) {
      response.destroy(/** @type {Error} */ (error))
    }
  })

  /** @param {http.IncomingMessage} request @param {http.ServerResponse} response */
  async function answer(request, response) {
    const [, name = '', rest = '/'] = /^\/([^/]+)(\/.*)$/.exec(request.url ?? '') ?? []
    const part = parts.get(name)
    if (!part) return response.writeHead(404).end()
    const asked = `${name} asked ${request.method} ${rest} at ${new Date().toISOString()}, without an answer`
    open.add(asked)
    response.on('close', () => open.delete(asked))
    const body = await buffer(request)
    let scenario = part.scenarios[0] ?? 'text'
    if (request.method === 'POST' && rest.startsWith('/v1/messages?')) {
      const number = part.questions.length
      part.questions.push({ session: text(request.headers['x-claude-code-session-id']), body: JSON.parse(body.toString()) })
      if (part.scenarios.length > 1) part.scenarios.shift()
      await part.gates.get(number)
    }
    const { host, ...headers } = request.headers
    const forwarded = http.request(`${upstream}/s/${encodeURIComponent(scenario)}${rest}`, { method: request.method, headers, agent: false })
    forwarded.on('error', () => response.destroy())
    forwarded.on('response', (answered) => {
      answered.on('error', () => response.destroy())
      response.writeHead(answered.statusCode ?? 502, answered.headers)
      answered.pipe(response)
    })
    forwarded.end(body)
  }

  // A connection that lay idle while a tool worked would be closed just when the CLI uses it again.
  server.keepAliveTimeout = 600_000
  server.listen(0, podsAddress())
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())

  return {
    /**
     * The base URL of one agent, answered by these scenarios in turn.
     * @param {string} name
     * @param {string[]} scenarios
     */
    urlFor(name, scenarios) {
      parts.set(name, { scenarios: [...scenarios], questions: [], gates: new Map() })
      return `http://${podsAddress()}:${port}/${name}`
    },
    /** @param {string} name @returns {Question[]} */
    questions: (name) => parts.get(name)?.questions ?? [],
    /** For who has to find out what a CLI waits for. */
    unanswered: () => [...open],
    /** From now on. @param {string} name @param {string[]} scenarios */
    play(name, scenarios) {
      const part = parts.get(name)
      if (part) part.scenarios = [...scenarios]
    },
    /**
     * Withholds the answer to a request until the returned function is called.
     * @param {string} name
     * @param {number} number of the request, from 0
     */
    hold(name, number) {
      /** @type {() => void} */
      let release = () => {}
      parts.get(name)?.gates.set(number, new Promise((resolve) => (release = resolve)))
      return () => release()
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** @param {string | string[] | undefined} header */
const text = (header) => (typeof header === 'string' ? header : undefined)
