/** The environment test: which checks it reports, and that a run then behaves as they say. */

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectFailure, neverStarted } from './support/expect-run.js'
import { transcript } from './support/host.js'
import { kubeconfigText } from './support/kubeconfig.js'
import { oldRole } from './support/manifests.js'
import { execute, testEnvironment } from './support/package.js'
import { forbidByQuota } from './support/quota.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster({ claim: true })
const core = `/api/v1/namespaces/${cluster.namespace}`
afterAll(() => cluster.stop())
afterEach(async () => {
  vi.unstubAllEnvs()
  await cluster.removeJobs()
})

/** @typedef {{ code: string, level: string, message: string, detail?: string, hint?: string }} Check */

/**
 * The report for a configuration, with its checks as `code level` in order.
 * @param {import('./support/cluster.js').ContextOptions} [options]
 * @param {object} [ctx]
 */
async function environment(options, ctx) {
  const { config } = cluster.context(options)
  /** @type {{ adapterType: string, status: string, checks: Check[], testedAt: string }} */
  const { checks, ...rest } = await testEnvironment({ adapterType: 'claude_k8s', companyId: 'company-1', config, ...ctx })
  return {
    ...rest,
    checks,
    found: checks.map(({ code, level }) => `${code} ${level}`),
    /** @param {string} code */
    check: (code) => {
      const one = checks.find((check) => check.code === code)
      if (!one) throw new Error(`No \`${code}\` among ${checks.map((check) => check.code).join(', ')}.`)
      return one
    },
  }
}

/** A run needs the first ones; without the others it is restricted. */
const verbs = [
  ['job_create', 'create', 'jobs', 'error'],
  ['job_get', 'get', 'jobs', 'error'],
  ['job_list', 'list', 'jobs', 'error'],
  ['job_delete', 'delete', 'jobs', 'warn'],
  ['pod_list', 'list', 'pods', 'error'],
  ['pod_log', 'get', 'pods/log', 'error'],
  ['job_patch', 'patch', 'jobs', 'warn'],
  ['job_watch', 'watch', 'jobs', 'warn'],
  ['pod_watch', 'watch', 'pods', 'warn'],
  ['pod_get', 'get', 'pods', 'warn'],
  ['secret_create', 'create', 'secrets', 'error'],
  ['secret_delete', 'delete', 'secrets', 'warn'],
  ['secret_get', 'get', 'secrets', 'warn'],
  ['pvc_get', 'get', 'persistentvolumeclaims', 'warn'],
  ['event_list', 'list', 'events', 'warn'],
].map(([code = '', verb = '', resource = '', denied = '']) => ({ code: `k8s_rbac_${code}`, verb, resource, denied }))

/** What a host outside the cluster always hears. */
const outside = ['k8s_api_reachable info', 'k8s_self_pod_unavailable warn', 'k8s_namespace_check_failed warn']
const granted = verbs.map(({ code }) => `${code} info`)

test('env_02 under the Role of `deploy/` every verb is allowed, nothing is created and a run succeeds', async () => {
  const since = Date.now()
  const report = await environment()
  expect(report).toMatchObject({ adapterType: 'claude_k8s', status: 'warn' })
  expect(report.found).toEqual([...outside, ...granted, 'k8s_secret_missing warn', 'k8s_pvc_not_detected warn', 'k8s_job_dry_run_ok info'])
  expect(new Date(report.testedAt).toISOString()).toBe(report.testedAt)
  const reachable = report.check('k8s_api_reachable')
  expect(reachable.message).toContain(`\`${cluster.namespace}\``)
  expect(reachable.detail).toContain(cluster.image)
  expect(await cluster.leftovers()).toEqual([])
  const writes = (await cluster.requests(since)).filter(({ verb }) => !['get', 'list'].includes(verb))
  expect(new Set(writes.map(({ verb, resource }) => `${verb} ${resource}`))).toEqual(new Set(['create jobs', 'create selfsubjectaccessreviews']))
  expect((await execute(cluster.context())).errorMessage).toBeNull()
})

test.each(verbs)('env_01 without `$verb` of `$resource` the check says `$denied`, and so does a run', async ({ code, verb, resource, denied }) => {
  const kubeconfig = await cluster.kubeconfigWithout(resource, verb)
  const report = await environment({ config: { kubeconfig } })
  const notInfo = verbs.filter(({ code }) => report.check(code).level !== 'info').map(({ code }) => code)
  expect(notInfo).toEqual([code])
  const { level, message, hint } = report.check(code)
  expect(level).toBe(denied)
  expect(message).toContain(`Not allowed: \`${verb}\` on \`${resource}\` in namespace \`${cluster.namespace}\``)
  expect(hint).toContain('deploy/')
  expect(report.status).toBe(denied === 'error' ? 'fail' : 'warn')

  const result = await execute(cluster.context({ config: { kubeconfig } }))
  expect(result.errorMessage === null, result.errorMessage).toBe(denied !== 'error')
})

test('env_01 an account that can stop a run neither way is refused, by the check and by a run', async () => {
  const kubeconfig = await cluster.kubeconfigAs('cannot-stop', (rules) =>
    rules.map((rule) => ({ ...rule, verbs: rule.verbs.filter((verb) => !(rule.resources.includes('jobs') && /patch|delete/.test(verb))) })),
  )
  const report = await environment({ config: { kubeconfig } })
  expect(report.check('k8s_rbac_job_delete').level).toBe('error')
  const result = await execute(cluster.context({ config: { kubeconfig } }))
  expectFailure(result, 'k8s_rbac_insufficient')
  expect(result).toMatchObject(neverStarted)
})

const missingInOldRole = /_(job_patch|job_watch|pod_watch|secret_create|secret_delete|event_list)$/

test('env_03 under the Role of 0.1.54 the degraded modes are named; a host that shares no volume is told what it lacks', async () => {
  const kubeconfig = await cluster.kubeconfigAs('old', () => oldRole)
  const report = await environment({ config: { kubeconfig } })
  expect(report.status).toBe('fail')
  const expected = verbs.map(({ code, denied }) => `${code} ${missingInOldRole.test(code) ? denied : 'info'}`)
  expect(report.found.slice(outside.length, outside.length + verbs.length)).toEqual(expected)
  expect(report.check('k8s_rbac_job_patch').hint).toContain('degraded mode "created unsuspended"')
  expect(report.check('k8s_rbac_job_watch').hint).toContain('degraded mode "polling"')
  expect(report.check('k8s_rbac_secret_create').hint).toContain('take files on a data volume that host and pod share; where there is none, every run is refused')

  const ctx = cluster.context({ config: { kubeconfig } })
  const result = await execute(ctx)
  expectFailure(result, 'k8s_prompt_secret_create_failed')
  expect(result).toMatchObject(neverStarted)
  expect(result.errorMessage).toMatch(/`create` on `secrets` .* share no data volume/)
  expect(transcript(ctx).events).toEqual([])
})

test('env_03 the Role of 0.1.54 and `create` of `secrets` are enough for a run, which names each degraded mode once', async () => {
  const kubeconfig = await cluster.kubeconfigAs('old-with-secrets', () => [
    ...oldRole,
    { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
  ])
  const report = await environment({ config: { kubeconfig } })
  expect(report.status).toBe('warn')
  const ctx = cluster.context({ config: { kubeconfig }, env: { FAKE_DELAY_MS: '200' } })
  const result = await execute(ctx)
  expect(result).toMatchObject({ errorMessage: null, exitCode: 0, summary: 'Done: the command printed hi.' })
  const modes = [/^polling /, /^created unsuspended /]
  expect(result.resultJson.k8s.degraded).toEqual(modes.map((mode) => expect.stringMatching(mode)))
  const { stderr, meta } = transcript(ctx)
  for (const mode of result.resultJson.k8s.degraded) {
    expect(stderr.split(mode)).toHaveLength(2)
    expect(meta[0].commandNotes).toContain(`Degraded: ${mode}`)
  }
  await cluster.isClean()
})

test('env_02 without any Role all checks are made, and a run names everything it lacks', async () => {
  const kubeconfig = await cluster.kubeconfigAs('nothing', () => [])
  const report = await environment({ config: { kubeconfig } })
  expect(report.status).toBe('fail')
  expect(report.found.slice(outside.length, outside.length + verbs.length)).toEqual(
    verbs.map(({ code, denied }) => `${code} ${code === 'k8s_rbac_job_delete' ? 'error' : denied}`),
  )
  expect(report.found).toContain('k8s_secret_check_skipped info')
  const result = await execute(cluster.context({ config: { kubeconfig } }))
  expectFailure(result, 'k8s_rbac_insufficient')
  expect(result).toMatchObject(neverStarted)
  for (const { code, verb, resource } of verbs.slice(0, 6)) {
    expect(result.errorMessage, code).toContain(`\`${verb}\` on \`${resource}\``)
  }
})

test('cfg_05 a host that knows no cluster hears so, and nothing else', async () => {
  for (const name of ['KUBECONFIG', 'KUBERNETES_SERVICE_HOST']) vi.stubEnv(name, '')
  const report = await environment({ config: { kubeconfig: undefined } })
  expect(report).toMatchObject({ status: 'fail', found: ['k8s_api_unreachable error'] })
  expect(report.check('k8s_api_unreachable')).toMatchObject({ detail: 'k8s_not_in_cluster', hint: expect.stringContaining('`kubeconfig`') })
})

test.each([
  ['a file that does not exist', '/no/such/kubeconfig', 'k8s_api_unreachable', /no\/such\/kubeconfig/],
  ['text that is no kubeconfig', 'apiVersion: v1\nkind: Pod\n', 'k8s_config_invalid', /kubeconfig/],
  ['a server that is no URL', kubeconfigText({ server: 'nowhere' }), 'k8s_config_invalid', /kubeconfig/],
  ['a relative path', 'relative/config', 'k8s_config_invalid', /^kubeconfig: /],
  ['a token that the server does not know', kubeconfigText({ ...cluster.account, token: 'unknown-token' }), 'k8s_api_unreachable', /HTTP 401/],
])('cfg_05 %s as kubeconfig is the only finding, with its cause', async (_, kubeconfig, code, message) => {
  const report = await environment({ config: { kubeconfig } })
  expect(report).toMatchObject({ status: 'fail', found: [`${code} error`] })
  expect(report.check(code).message).toMatch(message)
})

test.each([
  ['refuses', /** @param {import('./support/proxy.js').Proxy} proxy */ (proxy) => proxy.refuse()],
  ['hangs', /** @param {import('./support/proxy.js').Proxy} proxy */ async (proxy) => proxy.rule({ delayMs: 120_000 })],
])('env_02 an API server that %s is reported within 30 s', async (_, misbehave) => {
  const proxy = await cluster.proxy()
  await misbehave(proxy)
  const startedAt = Date.now()
  const report = await environment({ through: proxy })
  expect(Date.now() - startedAt).toBeLessThan(60_000)
  expect(report).toMatchObject({ status: 'fail', found: ['k8s_api_unreachable error'] })
})

test('env_02 what a cluster-level right would show: a namespace that is missing, a server that is old', async () => {
  const proxy = await cluster.proxy()
  proxy.rule({ resource: 'selfsubjectaccessreviews', rewrite: (review) => ({ ...review, status: { allowed: true } }) })
  proxy.rule({ resource: 'namespaces', status: 404 })
  proxy.rule({ resource: '/version', rewrite: (version) => ({ ...version, major: '1', minor: '28+', gitVersion: 'v1.28.3' }) })
  const report = await environment({ through: proxy })
  expect(report.check('k8s_namespace_missing')).toMatchObject({ level: 'error', message: expect.stringContaining(cluster.namespace) })
  expect(report.check('k8s_server_version_old')).toMatchObject({ level: 'warn', message: expect.stringContaining('1.28') })
})

test('cfg_02 every refused key and every corrected one is a finding of its own', async () => {
  const refused = await environment({ config: { timeoutSec: -1, retainJobs: 'yes' } })
  expect(refused.status).toBe('fail')
  const invalid = refused.checks.filter((/** @type {{ code: string }} */ { code }) => code === 'k8s_config_invalid')
  expect(invalid.map((/** @type {{ message: string }} */ { message }) => message.split(':')[0]).sort()).toEqual(['retainJobs', 'timeoutSec'])
  const corrected = await environment({ config: { labels: { 'paperclip.io/run-id': 'other' }, ttlSecondsAfterFinished: 5 } })
  expect(corrected.found.filter((one) => one === 'k8s_config_warning warn')).toHaveLength(2)
  expect(corrected.found).toContain('k8s_job_dry_run_ok info')
})

test('hst_09 a remote execution target is an error', async () => {
  const report = await environment({}, { executionTarget: { kind: 'remote' } })
  expect(report.status).toBe('fail')
  expect(report.found).toContain('k8s_execution_target_unsupported error')
  expect(report.found).toContain('k8s_job_dry_run_ok info')
})

test('an image that nobody named is an error', async () => {
  const report = await environment({ config: { image: undefined } })
  expect(report.found).toContain('k8s_image_unresolved error')
})

test('a URL that no pod can reach is a warning', async () => {
  const report = await environment({ env: { PAPERCLIP_API_URL: 'http://127.0.0.1:3100' } })
  expect(report.found).toContain('k8s_api_url_unreachable warn')
})

test('the Secret of the agents is found by its name, and one that may not be read is not called missing', async () => {
  await cluster.api.create(`${core}/secrets`, { metadata: { name: 'paperclip-secrets' } })
  try {
    expect((await environment()).found).toContain('k8s_secret_exists info')
    const other = await environment({ config: { secretRef: 'other-secrets' } })
    expect(other.found).toEqual(expect.arrayContaining(['k8s_rbac_secret_get warn', 'k8s_secret_check_skipped info']))
  } finally {
    await cluster.api.remove(`${core}/secrets/paperclip-secrets`)
  }
})

test('the data claim is judged by its access mode', async () => {
  await cluster.api.create(`${core}/persistentvolumeclaims`, {
    metadata: { name: 'one-node' },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'none', resources: { requests: { storage: '1Gi' } } },
  })
  const levels = []
  for (const workspaceVolumeClaim of [cluster.claimName, 'one-node', 'no-such-claim']) {
    levels.push((await environment({ config: { workspaceVolumeClaim } })).found.find((one) => one.startsWith('k8s_pvc_')))
  }
  expect(levels).toEqual(['k8s_pvc_rwx info', 'k8s_pvc_not_rwx warn', 'k8s_pvc_missing error'])
})

test('pod_05 a quota without room for a Job is found by the dry run, and by a run', async () => {
  const lift = await forbidByQuota(cluster, 'jobs')
  try {
    const report = await environment()
    expect(report.status).toBe('fail')
    const { message, hint } = report.check('k8s_job_dry_run_rejected')
    expect(message).toContain('HTTP 403')
    expect(message).toContain('exceeded quota: none-left')
    expect(hint).toContain('quota')
    const result = await execute(cluster.context())
    expectFailure(result, 'k8s_job_create_failed')
    expect(result).toMatchObject({ ...neverStarted, errorFamily: 'transient_upstream' })
    expect(result.errorMessage).toContain('exceeded quota: none-left')
  } finally {
    await lift()
  }
})

test('pod_05 a quota without room for a pod is not asked for by the dry run, and named by a run', async () => {
  const lift = await forbidByQuota(cluster, 'pods')
  try {
    expect((await environment()).check('k8s_job_dry_run_ok').detail).toContain('quota of pods')
    const result = await execute(cluster.context({ config: { scheduleTimeoutSec: 5 } }))
    expectFailure(result, 'k8s_pod_schedule_failed')
    expect(result).toMatchObject(neverStarted)
    expect(result.errorMessage).toContain('exceeded quota: none-left')
  } finally {
    await lift()
  }
})
