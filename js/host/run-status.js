/**
 * What the host itself thinks of a run, asked over its REST API with the run's own token. Two callers: the fallback
 * poll, and the decision after a lost controller lease.
 */

import { asObject } from '../json.js'

const requestTimeoutMs = 5_000

/** Of a row that no result will change any more. `interrupted` is not among them: a server that stops leaves the Job to the next one. */
const closed = new Set(['succeeded', 'failed', 'timed_out', 'skipped'])

/**
 * Addresses under which the server reaches itself, best first. Loopback is fine here: nothing of this goes to a pod.
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string[]}
 */
export function hostUrls(environment = process.env) {
  const port = environment['PAPERCLIP_LISTEN_PORT']?.trim()
  const listening = port ? `http://${loopbackFor(environment['PAPERCLIP_LISTEN_HOST']?.trim())}:${port}` : undefined
  const candidates = [environment['PAPERCLIP_RUNTIME_API_URL'], environment['PAPERCLIP_API_URL'], listening]
  const urls = candidates.flatMap((candidate) => {
    const url = candidate?.trim().replace(/\/+$/, '')
    return url && /^https?:\/\//i.test(url) && URL.canParse(url) ? [url] : []
  })
  return [...new Set(urls)]
}

/**
 * An unspecified address can be listened on, not connected to.
 * @param {string | undefined} host
 */
function loopbackFor(host) {
  if (!host || host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

/**
 * @typedef {'cancel' | 'over' | 'continue' | 'denied' | 'unknown'} RunStatus
 * `cancel`: an operator asked for it. `over`: the host has closed the run's row, whatever it says. `denied`: the token was refused. `unknown`: no usable answer.
 */

/**
 * Tries the addresses in order until one answers.
 * @param {{ urls: string[], runId: string, authToken: string, signal: AbortSignal }} request
 * @returns {Promise<RunStatus>}
 */
export async function fetchRunStatus({ urls, runId, authToken, signal }) {
  for (const url of urls) {
    const { signal: requestSignal, clear } = withTimeout(signal, requestTimeoutMs)
    try {
      const response = await fetch(`${url}/api/heartbeat-runs/${encodeURIComponent(runId)}`, {
        headers: { authorization: `Bearer ${authToken}`, accept: 'application/json' },
        signal: requestSignal,
      })
      if (response.status === 401 || response.status === 403) return 'denied'
      if (!response.ok) return 'unknown'
      return statusOf(await response.json())
    } catch {
      if (signal.aborted) break
    } finally {
      clear()
    }
  }
  return 'unknown'
}

/**
 * `AbortSignal.any` needs Node 20.3.
 * @param {AbortSignal} signal
 * @param {number} milliseconds
 */
function withTimeout(signal, milliseconds) {
  const controller = new AbortController()
  const abort = () => controller.abort()
  const timer = setTimeout(abort, milliseconds).unref()
  signal.addEventListener('abort', abort, { once: true })
  const clear = () => {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
  return { signal: controller.signal, clear }
}

/**
 * The row stays `running` while a stop is under way; then only the request tells (docs/internals/host.md 8).
 * @param {unknown} run
 */
function statusOf(run) {
  const { status, resultJson } = asObject(run)
  if (status === 'cancelled' || status === 'cancelling') return 'cancel'
  if (asObject(asObject(resultJson)['executionCancellation'])['state'] === 'requested') return 'cancel'
  return closed.has(String(status)) ? 'over' : 'continue'
}
