/**
 * What a suite works with: a company in the server, a namespace in the cluster, a model API, and agents that connect the
 * three. The adapter gets a service account with exactly the Role of `deploy/`, by a kubeconfig that the server's user
 * may read.
 */

import { chmodSync, copyFileSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { inject } from 'vitest'

import { startCluster } from '../../support/cluster.js'
import { until } from '../../support/until.js'
import { needed } from './environment.js'
import { openFolder } from './host-tool.js'
import { startModelApi } from './model-api.js'
import { createPaperclip } from './paperclip.js'

/** @typedef {Awaited<ReturnType<typeof startLab>>} Lab */
/** @typedef {import('./paperclip.js').Row} Row */

/**
 * @typedef {object} AgentOptions
 * @property {string[]} [scenarios] of the fake model API that answer the agent's requests in turn; the last one stays
 * @property {Record<string, unknown>} [config] of the adapter
 * @property {string} [adapterType]
 * @property {Record<string, unknown>} [env] of the pod
 */

/** @param {{ url: string, podsUrl: string, home: string }} [host] default: the one that all suites share */
export async function startLab(host = inject('host')) {
  const cluster = await startCluster({ claim: true })
  const models = await startModelApi()
  const folder = openFolder()
  const kubeconfig = readableCopy(cluster.kubeconfig, join(folder, 'kubeconfig'))
  const paperclip = createPaperclip(() => host.url, beside)
  const company = await paperclip.call('POST', '/companies', { name: cluster.namespace })
  let count = 0

  /** What cluster, model API and server know of a run that does not end. @param {string} runId */
  async function beside(runId) {
    const { pods } = await lab.objectsOf(runId)
    const logs = pods.map(async ({ metadata: { name }, status }) => {
      const tail = await cluster.api.text('GET', `/api/v1/namespaces/${cluster.namespace}/pods/${name}/log?timestamps=true&tailLines=5`).catch(String)
      return `pod ${name}, ${status.phase}: ${tail.split('\n').map((line) => line.slice(0, 300)).join('\n')}`
    })
    const server = readFileSync(join(host.home, '../server.log'), 'utf8').trimEnd().split('\n').slice(-12)
    return [...models.unanswered(), ...(await Promise.all(logs)), ...server.map((line) => `server: ${line.slice(0, 300)}`)]
  }

  /** Configuration of an agent whose pods run the real CLI. */
  const cliConfig = {
    kubeconfig: readFileSync(kubeconfig, 'utf8'),
    namespace: cluster.namespace,
    image: needed('K8S_TEST_CLI_IMAGE'),
    imagePullPolicy: 'IfNotPresent',
    workspaceVolumeClaim: cluster.claimName,
    model: 'claude-sonnet-4-6',
    'resources.requests.cpu': '1m',
    'resources.requests.memory': '4Mi',
    'resources.limits.memory': '1Gi',
    timeoutSec: 0,
  }

  const lab = {
    cluster,
    models,
    paperclip,
    company,
    /** Every user may read what is in it. */
    folder,
    kubeconfig,
    cliConfig,
    /**
     * @param {AgentOptions} [options]
     * @returns {Promise<Row & { id: string, companyId: string, name: string }>}
     */
    async agent({ scenarios = ['text'], config, env, adapterType = 'claude_k8s' } = {}) {
      const name = `agent-${++count}`
      const adapterConfig = {
        ...cliConfig,
        ...config,
        env: {
          ANTHROPIC_BASE_URL: models.urlFor(name, scenarios),
          ANTHROPIC_API_KEY: 'no-key-is-needed',
          DISABLE_TELEMETRY: '1',
          CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
          CLAUDE_CODE_MAX_RETRIES: '0',
          PAPERCLIP_API_URL: host.podsUrl,
          ...env,
        },
      }
      const created = await paperclip.call('POST', `/companies/${company.id}/agents`, { name, role: 'general', adapterType, adapterConfig })
      return { ...(created.agent ?? created), name }
    },
    /**
     * Wakes the agent without a task, or for one. The server looks for open tasks without a run, too: when it has
     * scheduled one first, a wake is skipped and that run is the answer.
     * @param {Row} agent
     * @param {Row} [task]
     * @returns {Promise<Row>} the run
     */
    async wake(agent, task) {
      const run = await paperclip.call('POST', `/agents/${agent['id']}/wakeup`, {
        source: 'on_demand',
        triggerDetail: 'manual',
        reason: 'test',
        ...(task && { payload: { issueId: task['id'] } }),
      })
      if (run.id) return run
      const scheduled = run.executionRunId && (await paperclip.run(run.executionRunId))
      if (!scheduled || paperclip.isOver(scheduled)) throw new Error(`The wake started no run: ${JSON.stringify(run)}`)
      return scheduled
    },
    /**
     * A task for the agent; the assignment wakes it.
     * @param {Row} agent
     * @param {string} [title]
     * @returns {Promise<Row>}
     */
    task: (agent, title = `Look after ${agent['name']}`) =>
      paperclip.call('POST', `/companies/${company.id}/issues`, {
        title,
        description: 'Do what the description says.',
        status: 'todo',
        assigneeAgentId: agent['id'],
      }),
    /**
     * A task for an agent that has had no run yet, and the run that it starts.
     * @param {Row} agent
     * @param {string} [title]
     */
    async assign(agent, title) {
      const task = await lab.task(agent, title)
      return { task, run: await lab.nextRun(agent, 0) }
    },
    /**
     * A run of the agent by its number, as soon as it exists.
     * @param {Row} agent
     * @param {number} number from 0
     * @param {number} [boundMs]
     * @returns {Promise<Row>}
     */
    nextRun: (agent, number, boundMs = 150_000) =>
      until(`run ${number} of ${agent['name']} exists`, async () => (await paperclip.runsOf(/** @type {any} */ (agent)))[number], boundMs),
    /** The Job objects and pods of one run. @param {string} runId */
    async objectsOf(runId) {
      const [jobs, pods] = await Promise.all([cluster.jobs(), cluster.pods()])
      const its = (/** @type {any} */ { metadata }) => metadata.labels?.['paperclip.io/run-id'] === runId
      return { jobs: jobs.filter(its), pods: pods.filter(its) }
    },
    async stop() {
      await cluster.stop()
      await models.stop()
      rmSync(folder, { recursive: true })
    },
  }
  return lab
}

/** @param {string} from @param {string} to */
function readableCopy(from, to) {
  copyFileSync(from, to)
  chmodSync(to, 0o644)
  return to
}
