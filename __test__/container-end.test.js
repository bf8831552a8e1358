/**
 * How a container says its own end, whatever ended it. On a real cluster also with dash, bash and busybox, in images that
 * go into the node's containerd, whose socket `K8S_TEST_CONTAINERD` names.
 */

import { afterAll, describe, expect, test as serialTest, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectFailure } from './support/expect-run.js'
import { transcript } from './support/host.js'
import { execute } from './support/package.js'
import { scriptedCli } from './support/scripted-cli.js'
import { makeForeignImage, makeShellImages } from './support/shell-images.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
const isReal = cluster.is('real')
afterAll(async () => {
  await cluster.removeJobs()
  await cluster.stop()
})
/** Most of their time the tests wait for a kubelet. */
const test = serialTest.concurrent

const core = `/api/v1/namespaces/${cluster.namespace}`
const retained = { retainJobs: true }

/** The log of the run's container, once it has ended. @param {any} ctx */
async function endedLog(ctx) {
  const { metadata, status } = await until('the container has ended', async () => {
    const pod = await cluster.podOf(ctx)
    return pod.status.containerStatuses?.[0]?.state?.terminated && pod
  })
  return { log: await cluster.log(metadata.name), end: status.containerStatuses[0].state.terminated }
}

test('end_10 the exit code of the CLI stands in the end line and is the container\'s', async () => {
  for (const code of [0, 3]) {
    const ctx = cluster.context({ config: retained, env: { FAKE_EXIT: String(code) } })
    await execute(ctx)
    const { log, end } = await endedLog(ctx)
    expect(log.endsWith(`\n[paperclip] Container ended (exit ${code})\n`), log.slice(-200)).toBe(true)
    expect(end.exitCode).toBe(code)
  }
})

test('log_08 stderr is shown once, as stderr, and nothing of it stands in the pod\'s status', async () => {
  const ctx = cluster.context({ config: retained, env: { FAKE_STDERR: 'something went wrong', FAKE_EXIT: '3', FAKE_STOP_AFTER: '1' } })
  const result = await execute(ctx)
  expect(result.errorMessage).toContain('something went wrong')
  expect(transcript(ctx).stderr.match(/something went wrong/g)).toHaveLength(1)
  expect(transcript(ctx).stdout).not.toContain('something went wrong')
  const { end } = await endedLog(ctx)
  expect(end.message).toBeUndefined()
})

/**
 * Deletes the pod of a run whose CLI works on, and gives the container's exit code.
 * @param {Record<string, string>} env
 * @param {Record<string, unknown>} [config]
 */
async function exitCodeOfDeletedPod(env, config) {
  const ctx = cluster.context({ config: { ...retained, ...config }, env: { FAKE_HOLD_MS: '120000', ...env } })
  const running = execute(ctx)
  await until('the first line', () => transcript(ctx).output)
  const pod = await cluster.podOf(ctx)
  await cluster.api.remove(`${core}/pods/${pod.metadata.name}`)
  const result = await running
  expectFailure(result, 'k8s_job_deleted_externally')
  return result.resultJson.k8s.exitCode
}

test('can_02 a CLI that is stopped says its last words, then the container its end', async () => {
  expect(await exitCodeOfDeletedPod({})).toBe(143)
})

test('a CLI that ignores a stop is killed with its container, which then says no end', async () => {
  const podTemplate = { spec: { terminationGracePeriodSeconds: 2 } }
  expect(await exitCodeOfDeletedPod({ FAKE_TERM: 'ignore' }, { podTemplate })).toBe(137)
})

test('FLD-26: a retained Job that was silent stays, with its ended pod and its log', async () => {
  const podTemplate = { spec: { terminationGracePeriodSeconds: 2 } }
  const kubeconfig = await cluster.kubeconfigAs('may-end-pods', (rules) => [...rules, { apiGroups: [''], resources: ['pods'], verbs: ['patch'] }])
  for (const term of ['exit', 'ignore']) {
    const ctx = cluster.context({ config: { ...retained, kubeconfig, silenceTimeoutSec: 5, podTemplate }, env: { FAKE_HOLD_MS: '120000', FAKE_TERM: term } })
    expectFailure(await execute(ctx), 'k8s_silent_run')
    const { log } = await endedLog(ctx)
    expect(log).toContain(transcript(ctx).output.split('\n')[0])
    const status = await until('the pod has ended', async () => {
      const pod = await cluster.podOf(ctx)
      return pod.status.phase === 'Failed' && pod.status
    })
    expect(status.reason).toBe('DeadlineExceeded')
    await until('the Job says that its result was returned', async () => {
      const job = (await cluster.jobs()).find(({ metadata }) => metadata.annotations['paperclip.io/run-id'] === ctx.runId)
      return job?.metadata.annotations['paperclip.io/delivered'] === 'true'
    })
  }
})

const containerd = isReal ? process.env.K8S_TEST_CONTAINERD : undefined
const images = isReal ? [cluster.image, ...(containerd ? makeShellImages(containerd) : [])] : []

/** Deletes the pod of a run once it has printed this, and gives its result. @param {any} ctx @param {string} text */
async function deletedAfter(ctx, text) {
  const running = execute(ctx)
  await until(`the output ${text}`, () => transcript(ctx).stdout.includes(text))
  const pod = await cluster.podOf(ctx)
  await cluster.api.remove(`${core}/pods/${pod.metadata.name}`)
  const deletedAt = Date.now()
  const result = await running
  expectFailure(result, 'k8s_job_deleted_externally')
  return { exitCode: result.resultJson.k8s.exitCode, tookMs: Date.now() - deletedAt }
}

describe.each(images)('with the `sh` of %s', (image) => {
  const id = image.replace(/[^a-z0-9]+/g, '-')

  test('a background process that holds stdout open delays nothing', async () => {
    const cli = await scriptedCli(cluster, `left-${id}`, '(while :; do echo noise; sleep 0.1; done) &\nsleep 0.3\nexit 4\n')
    const ctx = cluster.context({ config: { ...retained, ...cli, image } })
    await execute(ctx)
    const { log, end } = await endedLog(ctx)
    expect(log.endsWith('\n[paperclip] Container ended (exit 4)\n'), log.slice(-200)).toBe(true)
    expect(Date.parse(end.finishedAt) - Date.parse(end.startedAt)).toBeLessThan(60_000)
  })

  test('a CLI that a signal ends has 128 and its number as exit code', async () => {
    const cli = await scriptedCli(cluster, `signal-${id}`, 'kill -SEGV $$\n')
    const ctx = cluster.context({ config: { ...retained, ...cli, image } })
    await execute(ctx)
    const { log, end } = await endedLog(ctx)
    expect(log.endsWith('\n[paperclip] Container ended (exit 139)\n'), log.slice(-200)).toBe(true)
    expect(end.exitCode).toBe(139)
  })

  test('log_08 of megabytes of stderr the last 32 KiB come through the log', async () => {
    const cli = await scriptedCli(cluster, `noisy-${id}`, 'dd if=/dev/zero bs=1M count=64 2>/dev/null | tr "\\000" e >&2\nexit 5\n')
    const ctx = cluster.context({ config: { ...retained, ...cli, image } })
    await execute(ctx)
    const { log } = await endedLog(ctx)
    expect(log).toContain('[paperclip] Claude Code wrote 67108864 bytes to stderr; the last 32768 follow:\n')
    expect(transcript(ctx).stderr.match(/e{1000,}/)?.[0]).toHaveLength(32_768)
  })

  // The preparation makes directories: this one hangs in that. Busybox has a `mkdir` of its own and asks for no other.
  if (/dash|bash/.test(image)) test('can_02 a stop while the run is being prepared ends the preparation', async () => {
    const name = `slow-${id}`
    await cluster.api.create(`${core}/configmaps`, { metadata: { name }, data: { mkdir: '#!/bin/sh\necho preparing\nexec sleep 100\n' } })
    const podTemplate = {
      spec: {
        volumes: [{ name, configMap: { name, defaultMode: 0o755 } }],
        containers: [{ name: 'claude', env: [{ name: 'PATH', value: '/opt/slow:/usr/local/bin:/usr/bin:/bin' }], volumeMounts: [{ name, mountPath: '/opt/slow' }] }],
      },
    }
    const { exitCode, tookMs } = await deletedAfter(cluster.context({ config: { ...retained, image, podTemplate } }), 'preparing')
    expect(exitCode).toBe(143)
    expect(tookMs).toBeLessThan(60_000)
  })

  test('a CLI that ignores a stop is killed with its container', async () => {
    const cli = await scriptedCli(cluster, `deaf-${id}`, 'trap "" TERM\necho deaf\nfor i in 1 2 3 4 5 6 7 8 9; do sleep 10; done\n')
    const podTemplate = { spec: { ...cli.podTemplate.spec, terminationGracePeriodSeconds: 2 } }
    expect((await deletedAfter(cluster.context({ config: { ...retained, image, podTemplate } }), 'deaf')).exitCode).toBe(137)
  })

  test('end_05 a CLI that takes more memory than its limit fails at once', async () => {
    const cli = await scriptedCli(cluster, `greedy-${id}`, 'echo begun\ntail /dev/zero\nexit 9\n')
    const ctx = cluster.context({ config: { ...retained, ...cli, image, 'resources.limits.memory': '48Mi' } })
    const result = await execute(ctx)
    expect(result.errorMessage).not.toBeNull()
    expect(result.exitCode).not.toBe(0)
    expect(transcript(ctx).stdout).toContain('begun')
  })
})

describe.each(containerd ? [makeForeignImage(containerd)] : [])('with %s', (image) => {
  test('FLD-20: an image that cannot be executed is a failed start, and no gap in its log', async () => {
    const ctx = cluster.context({ config: { ...retained, image } })
    const result = await execute(ctx)
    expectFailure(result, 'claude_start_failed')
    expect(result.errorMessage).toMatch(/exec .*format error/)
    expect(result.errorMessage).toMatch(/architecture/)
    expect(result.resultJson.k8s.logGaps).toBe(0)
    expect(transcript(ctx).stderr).not.toContain('Log gap')
  })
})

describe.each(isReal ? [cluster.image] : [])('on the node, with %s', (image) => {
  test('log_08 2 GiB of stderr end the pod at the limit of its scratch volume', async () => {
    const cli = await scriptedCli(cluster, 'flood', 'echo begun\ndd if=/dev/zero bs=1M count=2048 >&2\nsleep 120\n')
    const result = await execute(cluster.context({ config: { ...retained, ...cli, image, cacheSizeLimit: '64Mi' } }))
    expectFailure(result, 'k8s_pod_evicted')
  })
})
