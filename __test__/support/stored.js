/** The objects of one run as the API server stored them: read while the Job is still suspended, then the run is cancelled. */

import { execute } from './package.js'

/**
 * @param {import('./cluster.js').Cluster} cluster
 * @param {import('./cluster.js').ContextOptions} [options]
 * @returns {Promise<{ job: any, pod: any, claude: any, secrets: any[], result: any, ctx: any }>} `pod` is the Job's pod specification, `claude` its container
 */
export async function storedObjects(cluster, options = {}) {
  const stop = new AbortController()
  /** @type {any} */
  let job
  /** @type {any[]} */
  let secrets = []
  const onDispatch = async () => {
    job = (await cluster.jobs())[0]
    secrets = await cluster.secrets()
    stop.abort()
  }
  const ctx = cluster.context({ ...options, signal: stop.signal, callbacks: { onDispatch } })
  const result = await execute(ctx)
  if (!job) throw new Error(`The run created no Job: ${result.errorMessage}`)
  const pod = job.spec.template.spec
  return { job, pod, claude: pod.containers.find((/** @type {any} */ { name }) => name === 'claude'), secrets, result, ctx }
}
