/**
 * One API for both rings of end-to-end tests: the simulator, or a real cluster when `K8S_TEST_KUBECONFIG` is set.
 *
 * Each test file gets a namespace of its own with the service account and the Role of `deploy/`; the adapter only ever
 * gets that account. Everything the helpers look at is read with the administrator's credentials.
 */

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createApi } from './kube-api.js'
import { hostContext } from './host.js'
import { writeKubeconfig } from './kubeconfig.js'
import { accountName, withoutVerb } from './manifests.js'
import { startProxy } from './proxy.js'
import { realCluster } from './real-cluster.js'
import { countByMeaning } from './requests.js'
import { startSimulator } from './simulator.js'
import { until } from './until.js'

/** @typedef {import('./manifests.js').RoleRule} RoleRule */
/** @typedef {Awaited<ReturnType<typeof startCluster>>} Cluster */
/** @typedef {Partial<import('./host.js').HostOptions> & { through?: import('./proxy.js').Proxy }} ContextOptions */

/** Small enough for twenty pods on a small node. */
const smallPod = {
  'resources.requests.cpu': '1m',
  'resources.requests.memory': '4Mi',
  'resources.limits.cpu': '2',
  'resources.limits.memory': '512Mi',
}

/** The name of the claim that `startCluster({ claim: true })` creates. */
const claimName = 'data'

/**
 * @param {object} [options]
 * @param {boolean} [options.claim] creates a data claim, to be used as `workspaceVolumeClaim`
 * @param {import('./real-cluster.js').Ring} [options.ring]
 */
export async function startCluster({ claim = false, ring } = {}) {
  const { K8S_TEST_KUBECONFIG } = process.env
  const used = ring ?? (K8S_TEST_KUBECONFIG ? realCluster(K8S_TEST_KUBECONFIG) : await startSimulator())
  const api = createApi(used.admin)
  const folder = mkdtempSync(join(tmpdir(), 'claude-k8s-test-'))
  const namespace = `claude-k8s-test-${randomBytes(4).toString('hex')}`
  await api.create('/api/v1/namespaces', { metadata: { name: namespace } })
  const account = await used.createAccount(api, { namespace, name: accountName, role: (rules) => rules })
  if (claim) await used.createClaim(api, namespace, claimName)

  const core = `/api/v1/namespaces/${namespace}`
  const jobsPath = `/apis/batch/v1/namespaces/${namespace}/jobs`
  const kubeconfig = writeKubeconfig(join(folder, 'kubeconfig'), account)
  /** @type {import('./proxy.js').Proxy[]} */
  const proxies = []
  const startedAt = Date.now()

  const jobs = () => api.list(jobsPath)
  const removeAllJobs = async () => {
    for (const { metadata } of await jobs()) await api.remove(`${jobsPath}/${metadata.name}`)
  }

  /**
   * The path of a kubeconfig for another account with a Role of its own. A new account, because the adapter remembers
   * what an account may do.
   * @param {string} name
   * @param {(rules: RoleRule[]) => RoleRule[]} role from the rules of `deploy/`
   */
  async function kubeconfigAs(name, role) {
    return writeKubeconfig(join(folder, name), await used.createAccount(api, { namespace, name, role }))
  }

  return {
    namespace,
    /** Path of the account's kubeconfig. */
    kubeconfig,
    account,
    api,
    image: used.image,
    claimName: claim ? claimName : undefined,
    /** @param {'real' | 'simulator'} name */
    is: (name) => used.name === name,
    /**
     * A `ctx` for this cluster, see `hostContext`. With `through` the run sees the cluster through a fault proxy.
     * @param {ContextOptions} [options]
     */
    context: ({ config, env, through, ...rest } = {}) =>
      hostContext({
        ...rest,
        config: {
          kubeconfig: through ? through.kubeconfig : kubeconfig,
          namespace,
          image: used.image,
          imagePullPolicy: 'IfNotPresent',
          ...smallPod,
          ...config,
        },
        // A URL that pods could use, so that no run warns about its absence.
        env: { PAPERCLIP_API_URL: 'http://198.51.100.1:3100', ...env },
      }),
    kubeconfigAs,
    /**
     * Credentials of another account with a Role of its own.
     * @param {string} name
     * @param {(rules: RoleRule[]) => RoleRule[]} role from the rules of `deploy/`
     */
    accountAs: (name, role) => used.createAccount(api, { namespace, name, role }),
    /**
     * The path of a kubeconfig for another account, whose Role lacks a verb.
     * @param {string} resource
     * @param {string} verb
     */
    kubeconfigWithout: (resource, verb) =>
      kubeconfigAs(`without-${verb}-${resource.replace('/', '-')}`, (rules) => withoutVerb(rules, resource, verb)),
    /** Configuration of a run whose pod no node takes; `release` afterwards. */
    withoutNode: () => used.withoutNode(api),
    /** @param {number} [seed] @param {import('./kubeconfig.js').Credentials} [upstream] another account */
    async proxy(seed, upstream = account) {
      const proxy = await startProxy({ upstream, seed })
      proxies.push(proxy)
      return proxy
    },
    jobs,
    pods: () => api.list(`${core}/pods`),
    secrets: async () => (await api.list(`${core}/secrets`)).filter(({ type }) => type !== 'kubernetes.io/service-account-token'),
    /** @param {string} name */
    removeJob: (name) => api.remove(`${jobsPath}/${name}`),
    /**
     * The pod of a run as soon as it exists.
     * @param {{ runId: string }} run
     * @returns {Promise<any>}
     */
    async podOf({ runId }) {
      const path = `${core}/pods?labelSelector=${encodeURIComponent(`paperclip.io/run-id=${runId}`)}`
      return until('the pod exists', async () => (await api.list(path))[0])
    },
    /**
     * The whole log of a container that has ended and whose pod is still there.
     * @param {string} pod
     */
    log: (pod) => api.text('GET', `${core}/pods/${pod}/log?container=claude`),
    /** Names of what runs left behind: `jobs/…`, `pods/…`, `secrets/…`. */
    async leftovers() {
      const [jobs, pods, secrets] = await Promise.all([this.jobs(), this.pods(), this.secrets()])
      const named = Object.entries({ jobs, pods, secrets })
      return named.flatMap(([kind, objects]) => objects.map(({ metadata }) => `${kind}/${metadata.name}`))
    },
    /** Waits until runs have left nothing behind. Otherwise says what, and removes it: the next test is innocent. */
    async isClean() {
      /** @type {string[]} */
      let left = []
      try {
        await until('nothing is left', async () => (left = await this.leftovers()).length === 0)
      } catch {
        await removeAllJobs()
        throw new Error(`Left behind: ${left.join(', ')}.`)
      }
    },
    /** Removes every Job of the namespace, and with them what belongs to them. */
    async removeJobs() {
      await removeAllJobs()
      await this.isClean()
    },
    /**
     * The requests that the account has sent.
     * @param {number} [sinceMs]
     */
    requests: (sinceMs = startedAt) => used.requests(`system:serviceaccount:${namespace}:${accountName}`, sinceMs),
    /**
     * @param {object} [options]
     * @param {boolean} [options.apiRestarted] an API server that has just started refuses what it grants a moment later
     */
    async stop({ apiRestarted = false } = {}) {
      for (const proxy of proxies) await proxy.stop()
      const forbidden = used.countsRequests && !apiRestarted ? (await this.requests()).filter((request) => request.forbidden) : []
      await api.remove(`/api/v1/namespaces/${namespace}`)
      if (claim) await used.removeClaim(api, namespace)
      api.close()
      await used.stop()
      rmSync(folder, { recursive: true })
      // ENV-06: over the whole suite, the adapter asked for nothing that `deploy/` does not grant.
      if (forbidden.length > 0) throw new Error(`Not granted by \`deploy/\`: ${JSON.stringify(countByMeaning(forbidden))}.`)
    },
  }
}
