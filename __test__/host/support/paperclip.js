/** The server's REST API, as far as the suites need it. In the trusted local mode every request is an administrator's. */

import { until } from '../../support/until.js'

/** @typedef {ReturnType<typeof createPaperclip>} Paperclip */
/** @typedef {Record<string, any>} Row a row of the server's database as JSON */

const ended = new Set(['succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted'])

/**
 * @param {() => string} baseUrl may change when the server is restarted
 * @param {(runId: string) => Promise<string[]>} [beside] what is known of a run outside of the server
 */
export function createPaperclip(baseUrl, beside = async () => []) {
  /**
   * @param {string} method
   * @param {string} path below `/api`
   * @param {unknown} [body]
   * @returns {Promise<{ status: number, body: any }>}
   */
  async function request(method, path, body) {
    const response = await fetch(`${baseUrl()}/api${path}`, {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json')
    return { status: response.status, body: isJson ? JSON.parse(text) : text }
  }
  /** @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>} */
  async function call(method, path, body) {
    const answer = await request(method, path, body)
    if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body).slice(0, 800)}`)
    return answer.body
  }
  /** @param {string} path */
  const get = (path) => call('GET', path)

  const paperclip = {
    request,
    call,
    get,
    /** Has the run ended? @param {Row} row */
    isOver: (row) => ended.has(row['status']),
    /** Is its row complete, too? The end is written in steps; the time of the end is the last one. @param {Row} row */
    isComplete: (row) => paperclip.isOver(row) && Boolean(row['finishedAt']),
    /** @param {string} id @returns {Promise<Row>} */
    run: (id) => get(`/heartbeat-runs/${id}`),
    /**
     * The runs of an agent, the oldest first.
     * @param {{ id: string, companyId: string }} agent
     * @returns {Promise<Row[]>}
     */
    async runsOf({ id, companyId }) {
      /** @type {Row[]} */
      const runs = await get(`/companies/${companyId}/heartbeat-runs?agentId=${id}&limit=200`)
      return runs.sort((one, other) => Date.parse(one['createdAt']) - Date.parse(other['createdAt']))
    },
    /**
     * The run's row after its end, which is printed.
     * @param {string} id
     * @param {number} [boundMs]
     * @returns {Promise<Row>}
     */
    async ended(id, boundMs = 300_000) {
      const over = async () => {
        const row = await paperclip.run(id)
        return paperclip.isComplete(row) && row
      }
      // A question costs the server milliseconds that the runs need.
      const run = await until(`run ${id} has ended`, over, boundMs, 250).catch(async (error) => {
        error.message += `\n${await paperclip.story(id)}`
        throw error
      })
      console.info(`run ${id}: ${[run['status'], run['errorCode']].filter(Boolean).join(', ')}`)
      return run
    },
    /** What the server knows of a run, for who has to find out what became of it. @param {string} id */
    async story(id) {
      const [row, events, log, others] = await Promise.all([paperclip.run(id), paperclip.events(id), paperclip.log(id).catch(() => []), beside(id)])
      const told = events.map((event) => `${event['createdAt']} ${event['eventType']}: ${event['message']}`)
      const said = log.slice(-12).map(({ ts, stream, chunk }) => `${ts} ${stream}: ${chunk.trim().slice(0, 300)}`)
      return [`status ${row['status']}, created ${row['createdAt']}, started ${row['startedAt']}`, ...told, ...said, ...others].join('\n')
    },
    /** @param {string} id @returns {Promise<Row>} */
    task: (id) => get(`/issues/${id}`),
    /**
     * What the server stored of the run's output.
     * @param {string} id
     * @returns {Promise<{ ts: string, stream: string, chunk: string }[]>}
     */
    async log(id) {
      let text = ''
      for (let offset = 0; ; ) {
        const part = await get(`/heartbeat-runs/${id}/log?offset=${offset}&limitBytes=1000000`)
        text += part.content ?? ''
        if (!(part.nextOffset > offset)) break
        offset = part.nextOffset
      }
      return text.split('\n').filter(Boolean).map((line) => JSON.parse(line))
    },
    /** The run's lines on stdout as a page joins them. @param {string} id */
    async lines(id) {
      const chunks = (await paperclip.log(id)).filter(({ stream }) => stream === 'stdout').map(({ chunk }) => chunk)
      return chunks.join('').split('\n').filter(Boolean)
    },
    /** @param {string} id @returns {Promise<Row[]>} */
    events: (id) => get(`/heartbeat-runs/${id}/events?limit=1000`),
    /** @param {string} id */
    cancel: (id) => request('POST', `/heartbeat-runs/${id}/cancel`, {}),
  }
  return paperclip
}
