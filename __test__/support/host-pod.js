/**
 * A Paperclip host inside a pod of the real cluster. Its container has Node and this checkout from the node's file
 * system, so the node has to be the machine of the tests; everything else of the pod is what a test gives it.
 *
 * ```text
 * test ──create──▶ pod `paperclip-…` ─ node fixtures/host-process.js ─▶ execute, testEnvironment ──▶ Jobs
 *   ▲                                          │
 *   └───────────── its log, one JSON line ◀────┘
 * ```
 */

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'

import { fromRoot } from '../paths.js'
import { accountName } from './manifests.js'
import { until } from './until.js'

/** @typedef {import('./cluster.js').Cluster} Cluster */

/**
 * What the host does: calls with the options of `hostContext`, one after the other.
 * @typedef {object} Step
 * @property {'execute' | 'testEnvironment'} call
 * @property {import('./host.js').HostOptions} options
 * @property {Record<string, string>} [processEnv] set in the host's process from then on
 * @property {boolean} [resume] continues the session of the step before
 */

/** Node, what it is linked with, and this checkout. */
const fromNode = ['/usr', '/lib', '/lib64', fromRoot('.')].filter((path) => existsSync(path))

/**
 * Runs the steps in a pod and returns what each gave: its result and what the host was told.
 * @param {Cluster} cluster
 * @param {Step[]} steps
 * @param {any} [spec] of the pod; its container `paperclip` is completed
 * @returns {Promise<any[]>} `{ result, told }` of each step
 */
export async function inHostPod(cluster, steps, spec = {}) {
  const { containers = [{ name: 'paperclip' }], ...pod } = spec
  const pods = `/api/v1/namespaces/${cluster.namespace}/pods`
  const name = `paperclip-${randomBytes(3).toString('hex')}`
  await cluster.api.create(pods, {
    metadata: { name },
    spec: {
      serviceAccountName: accountName,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      ...pod,
      containers: containers.map((/** @type {any} */ container) => (container.name === 'paperclip' ? host(cluster, container, steps) : container)),
      volumes: [...(pod.volumes ?? []), ...fromNode.map((path, index) => ({ name: `node-${index}`, hostPath: { path } }))],
    },
  })
  try {
    const ended = await until(`the host in pod ${name} has ended`, async () => stateOf(await cluster.api.get(`${pods}/${name}`)), 240_000)
    const log = await cluster.api.text('GET', `${pods}/${name}/log?container=paperclip`)
    if (ended.exitCode !== 0) throw new Error(`The host ended with code ${ended.exitCode}: ${log}`)
    return JSON.parse(log.trimEnd().split('\n').at(-1) ?? '')
  } finally {
    await cluster.api.remove(`${pods}/${name}`)
  }
}

/**
 * @param {Cluster} cluster
 * @param {any} container
 * @param {Step[]} steps
 */
const host = (cluster, container, steps) => ({
  image: cluster.image,
  imagePullPolicy: 'IfNotPresent',
  ...container,
  command: [process.execPath, fromRoot('__test__/fixtures/host-process.js'), Buffer.from(JSON.stringify(steps)).toString('base64')],
  resources: { requests: { cpu: '1m', memory: '4Mi' }, limits: { cpu: '2', memory: '1Gi' } },
  volumeMounts: [
    ...(container.volumeMounts ?? []),
    ...fromNode.map((mountPath, index) => ({ name: `node-${index}`, mountPath, readOnly: true })),
  ],
})

/** @param {any} pod */
const stateOf = ({ status }) => status.containerStatuses?.find((/** @type {any} */ { name }) => name === 'paperclip')?.state.terminated
