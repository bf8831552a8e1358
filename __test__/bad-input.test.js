/** What the adapter refuses: with which code, in which words, and that nothing is left behind. */

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectFailure, neverStarted } from './support/expect-run.js'
import { transcript } from './support/host.js'
import { kubeconfigText } from './support/kubeconfig.js'
import { execute } from './support/package.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
afterAll(() => cluster.stop())
afterEach(() => cluster.isClean())

test.each([
  ['a negative timeout', { timeoutSec: -1 }, ['timeoutSec']],
  ['a quantity in words', { 'resources.limits.cpu': 'two' }, ['resources.limits.cpu']],
  ['a list that is none', { tolerations: 'gpu=true' }, ['tolerations']],
  ['a relative kubeconfig', { kubeconfig: 'relative/config' }, ['kubeconfig']],
  ['a protected field', { podTemplate: { spec: { containers: [{ name: 'claude', command: ['x'] }] } } }, ['podTemplate.spec.containers[claude].command']],
  ['an argument that breaks the protocol', { extraArgs: ['--resume', 'x'] }, ['extraArgs']],
  ['FLD-31: a number that is none', { timeoutSec: Number.NaN, graceSec: Number.POSITIVE_INFINITY, env: {}, labels: { a: Number.NaN } }, ['graceSec', 'labels.a', 'timeoutSec']],
  ['several at once', { timeoutSec: '10m', imagePullPolicy: 'Sometimes', retainJobs: 'yes' }, ['imagePullPolicy', 'retainJobs', 'timeoutSec']],
])('cfg_02 %s is refused with every offending key', async (_, config, keys) => {
  const result = await execute(cluster.context({ config }))
  expectFailure(result, 'configuration_incomplete')
  expect(result).toMatchObject({ ...neverStarted, resultJson: { k8s: { reason: 'k8s_config_invalid' } } })
  expect([...result.errorMeta.keys].sort()).toEqual(keys)
  expect(result.errorMessage).toMatch(/^Invalid adapter configuration: /)
  for (const key of keys) expect(result.errorMessage).toContain(`${key}: `)
})

test('an image that nobody named is asked for', async () => {
  const result = await execute(cluster.context({ config: { image: undefined } }))
  expectFailure(result, 'configuration_incomplete')
  expect(result).toMatchObject({ ...neverStarted, resultJson: { k8s: { reason: 'k8s_image_unresolved' } } })
  expect(result.errorMessage).toContain('image')
})

test.each([
  ['a file that does not exist', '/no/such/kubeconfig'],
  ['text that is no kubeconfig', 'apiVersion: v1\nkind: Pod\n'],
  ['a server that is no URL', kubeconfigText({ server: 'nowhere' })],
])('cfg_05 %s as kubeconfig is refused', async (_, kubeconfig) => {
  const result = await execute(cluster.context({ config: { kubeconfig } }))
  expectFailure(result, 'configuration_incomplete')
  expect(result).toMatchObject(neverStarted)
  expect(result.errorMessage).toContain('kubeconfig')
})

test('cfg_05 a token that the API server does not know is named as such', async () => {
  const kubeconfig = kubeconfigText({ ...cluster.account, token: 'unknown-token' })
  const result = await execute(cluster.context({ config: { kubeconfig } }))
  expect(result).toMatchObject(neverStarted)
  expect(result.errorMessage).toMatch(/401|Unauthorized/)
})

test('an API server that does not answer is reported with its address', async () => {
  const proxy = await cluster.proxy()
  await proxy.refuse()
  const result = await execute(cluster.context({ through: proxy }))
  expectFailure(result, 'k8s_api_unreachable')
  expect(result).toMatchObject({ ...neverStarted, errorFamily: 'transient_upstream' })
  expect(result.errorMessage).toContain(proxy.url.slice('http://'.length))
})

test.each([
  ['create', 'jobs', 'k8s_job_create_failed'],
  ['get', 'jobs', 'k8s_rbac_insufficient'],
  ['list', 'jobs', 'k8s_concurrency_guard_unreachable'],
  ['list', 'pods', 'k8s_rbac_insufficient'],
  ['get', 'pods/log', 'k8s_rbac_insufficient'],
  ['create', 'secrets', 'k8s_prompt_secret_create_failed'],
])('env_01 without `%s` of `%s` the run is refused and says so', async (verb, resource, code) => {
  const kubeconfig = await cluster.kubeconfigWithout(resource, verb)
  const result = await execute(cluster.context({ config: { kubeconfig } }))
  expectFailure(result, code)
  expect(result).toMatchObject(neverStarted)
  expect(result.errorMessage).toContain(verb)
  expect(result.errorMessage).toContain(resource)
})

test.each([
  ['watch', 'jobs'],
  ['watch', 'pods'],
  ['patch', 'jobs'],
  ['delete', 'jobs'],
])('env_03 without `%s` of `%s` the run succeeds in a mode that is named once', async (verb, resource) => {
  const kubeconfig = await cluster.kubeconfigWithout(resource, verb)
  const ctx = cluster.context({ config: { kubeconfig }, env: { FAKE_DELAY_MS: '100' } })
  const startedAt = Date.now()
  const result = await execute(ctx)
  const tookMs = Date.now() - startedAt
  // Without the right to delete, the Job is the TTL's: here the test's.
  if (verb === 'delete') await cluster.removeJobs()
  expect(result).toMatchObject({ errorMessage: null, exitCode: 0 })
  expect(tookMs, 'milliseconds for a run of a second, noticed every 2 s').toBeLessThan(30_000)
  const named = (/** @type {string} */ text) => text.includes(verb) && text.includes(resource)
  expect(result.resultJson.k8s.degraded.filter(named)).toHaveLength(1)
  expect(transcript(ctx).stderr.split('\n').filter(named)).toHaveLength(1)
})

test.each([
  ['get', 'pods'],
  ['delete', 'secrets'],
  ['list', 'events'],
  ['get', 'persistentvolumeclaims'],
])('env_03 without `%s` of `%s` the run is undisturbed', async (verb, resource) => {
  const kubeconfig = await cluster.kubeconfigWithout(resource, verb)
  expect(await execute(cluster.context({ config: { kubeconfig } }))).toMatchObject({ errorMessage: null, exitCode: 0 })
})

test('pod_04 an image that cannot be pulled is retried up to the bound, and the cause is named', async () => {
  const result = await execute(cluster.context({ config: { image: 'localhost/no-such-image:test', startupTimeoutSec: 8 } }))
  expectFailure(result, 'k8s_pod_schedule_failed')
  expect(result).toMatchObject(neverStarted)
  expect(result.errorMessage).toMatch(/^Pod did not start within 8s \(startupTimeoutSec\): /)
  expect(result.errorMessage).toMatch(/ErrImagePull|ImagePullBackOff/)
  expect(result.errorMessage).toContain('events: ')
})

test('pod_04 an image name that no registry could have fails long before the bound', async () => {
  const result = await execute(cluster.context({ config: { image: 'localhost/Upper:Case:test', startupTimeoutSec: 600 } }))
  expectFailure(result, 'k8s_pod_schedule_failed')
  expect(result).toMatchObject(neverStarted)
  expect(result.errorMessage).toContain('InvalidImageName')
})

test('pod_01 a pod that no node takes is reported with the bound that passed', async () => {
  const { config, release } = await cluster.withoutNode()
  const result = await execute(cluster.context({ config: { ...config, scheduleTimeoutSec: 5 } })).finally(release)
  expectFailure(result, 'k8s_pod_schedule_failed')
  expect(result).toMatchObject({ ...neverStarted, errorFamily: 'transient_upstream' })
  expect(result.errorMessage).toMatch(/^Pod did not start within 5s \(scheduleTimeoutSec\): /)
})

test('prm_02 a prompt above 8 MiB is refused before anything is created', async () => {
  const ctx = cluster.context({ config: { promptTemplate: 'x'.repeat(8 * 1024 * 1024 + 1) } })
  expectFailure(await execute(ctx), 'k8s_prompt_too_large')
  expect(transcript(ctx).events).toEqual([])
})

test('grd_10 ids that are useless as a label or a path yield a result', async () => {
  expectFailure(await execute(cluster.context({ agent: { id: '///' } })), 'k8s_agent_id_invalid')
})

test('hst_09 a remote execution target is refused', async () => {
  const result = await execute(cluster.context({ executionTarget: { kind: 'remote' } }))
  expectFailure(result, 'adapter_engine_unavailable')
  expect(result).toMatchObject(neverStarted)
})
