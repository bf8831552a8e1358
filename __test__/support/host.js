/** The host's side of `execute(ctx)`: builds a `ctx` and keeps everything the adapter reported through it. */

import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** What the adapter writes itself starts with this. */
const statusPrefix = '[paperclip] '

/**
 * @typedef {object} Recording
 * @property {{ stream: string, chunk: string, at: number }[]} chunks
 * @property {any[]} meta
 * @property {any[]} events
 * @property {any[]} progress
 * @property {string[]} calls names of all callbacks in order
 */

/** @type {WeakMap<object, Recording>} */
const recordings = new WeakMap()

/**
 * Members that are not named here become members of `ctx` or replace them.
 * @typedef {{
 *   config: Record<string, unknown>,
 *   env?: Record<string, string>,
 *   onLog?: (stream: string, chunk: string) => unknown,
 *   callbacks?: Record<string, (...args: any[]) => unknown>,
 *   context?: Record<string, unknown>,
 *   agent?: Record<string, unknown>,
 *   runtime?: Record<string, unknown>,
 * } & Record<string, unknown>} HostOptions `env` is the pod's; callbacks are called after the call was recorded
 */

/**
 * A kubeconfig of a test lies in a temporary directory, where no operator would put one: its content is given.
 * @param {unknown} kubeconfig
 */
const asContent = (kubeconfig) =>
  typeof kubeconfig === 'string' && kubeconfig.startsWith('/') && kubeconfig.startsWith(tmpdir()) && existsSync(kubeconfig) ? { kubeconfig: readFileSync(kubeconfig, 'utf8') } : {}

/**
 * The context of one run as the host builds it.
 * @param {HostOptions} options
 */
export function hostContext({ config, env = {}, onLog, callbacks = {}, context = {}, agent = {}, runtime = {}, ...rest }) {
  /** @type {Recording} */
  const recording = { chunks: [], meta: [], events: [], progress: [], calls: [] }
  /**
   * @param {string} name
   * @param {any[]} [into]
   */
  const callback = (name, into) => (/** @type {any} */ value) => {
    recording.calls.push(name)
    into?.push(value)
    return callbacks[name]?.(value) ?? Promise.resolve()
  }
  const ctx = {
    runId: randomUUID(),
    agent: {
      id: randomUUID(),
      companyId: randomUUID(),
      name: 'Test agent',
      adapterType: 'claude_k8s',
      adapterConfig: {},
      ...agent,
    },
    runtime: { sessionId: null, sessionParams: null, sessionDisplayId: null, taskKey: null, ...runtime },
    config: { promptTemplate: 'Say hello.', ...config, ...asContent(config.kubeconfig), env },
    context,
    authToken: `token-${randomUUID()}`,
    signal: new AbortController().signal,
    onCancellationReady: callback('onCancellationReady'),
    onMeta: callback('onMeta', recording.meta),
    onEvent: callback('onEvent', recording.events),
    onDispatch: callback('onDispatch'),
    onRuntimeProgress: callback('onRuntimeProgress', recording.progress),
    onSpawn: callback('onSpawn'),
    /** @param {string} stream @param {string} chunk */
    onLog(stream, chunk) {
      recording.chunks.push({ stream, chunk, at: Date.now() })
      return onLog ? onLog(stream, chunk) : Promise.resolve()
    },
    ...rest,
  }
  recordings.set(ctx, recording)
  return ctx
}

/** @typedef {ReturnType<typeof hostContext>} HostContext */

/**
 * Text without the adapter's own lines; its script in the pod may have written some, too.
 * @param {string} text
 */
export const withoutStatus = (text) =>
  text
    .split(/(?<=\n)/)
    .filter((line) => !isStatus(line))
    .join('')

/** A line of the adapter, or of its script in the pod, which is shown as the container's. @param {string} line */
export const isStatus = (line) => line.startsWith(statusPrefix) || line.startsWith(`[container] ${statusPrefix}`)

/** A line of the CLI is in the chunk, perhaps behind one of the adapter. @param {string} chunk */
export const hasOutput = (chunk) => /^\{/m.test(chunk)

/**
 * What the host knows about a run so far.
 * @param {object} ctx made by `hostContext`
 */
export function transcript(ctx) {
  const recording = recordings.get(ctx)
  if (!recording) throw new Error('This `ctx` was not made by `hostContext`.')
  /** @param {string} stream */
  const joined = (stream) => recording.chunks.filter((part) => part.stream === stream).map(({ chunk }) => chunk).join('')
  const stdout = joined('stdout')
  return {
    ...recording,
    stdout,
    stderr: joined('stderr'),
    /** What the CLI wrote: stdout without the adapter's own lines. */
    output: withoutStatus(stdout),
    /** The adapter's own lines on stdout and stderr. */
    status: `${stdout}\n${joined('stderr')}`.split('\n').filter((line) => line.startsWith(statusPrefix)),
    /** How often a callback was called. @param {string} name */
    count: (name) => recording.calls.filter((call) => call === name).length,
  }
}
