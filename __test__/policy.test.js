/**
 * The bounds of `deploy/policy/` and `deploy/network/`, applied as a cluster administrator does. The simulator has no admission
 * policies and no networks, so the file runs on a real cluster only.
 */

import { readFileSync } from 'node:fs'

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { parse } from 'yaml'

import { fromRoot } from './paths.js'
import { startCluster } from './support/cluster.js'
import { expectFailure } from './support/expect-run.js'
import { ApiError } from './support/kube-api.js'
import { execute } from './support/package.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })

const admission = '/apis/admissionregistration.k8s.io/v1'
/** @param {string} file */
const read = (file) => parse(readFileSync(fromRoot(`deploy/policy/${file}.yaml`), 'utf8'))

describe.runIf(process.env.K8S_TEST_KUBECONFIG)('the policy of deploy/policy', () => {
  /** @type {import('./support/cluster.js').Cluster} */
  let cluster
  /** Objects for the whole cluster get a name of their own: other tests run beside this one. */
  let name = ''
  beforeAll(async () => {
    cluster = await startCluster({ claim: true })
    name = cluster.namespace
    const [policy, binding, bounds] = ['policy', 'binding', 'bounds'].map(read)
    const only = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } }
    await cluster.api.create(`/api/v1/namespaces/${name}/configmaps`, { ...bounds, data: { ...bounds.data, claims: cluster.claimName } })
    await cluster.api.create(`${admission}/validatingadmissionpolicies`, { ...policy, metadata: { name } })
    await cluster.api.create(`${admission}/validatingadmissionpolicybindings`, {
      ...binding,
      metadata: { name },
      spec: { ...binding.spec, policyName: name, matchResources: only },
    })
    await enforced()
  })
  afterAll(async () => {
    await cluster.isClean()
    await cluster.api.remove(`${admission}/validatingadmissionpolicybindings/${name}`)
    await cluster.api.remove(`${admission}/validatingadmissionpolicies/${name}`)
    await cluster.stop()
  })

  /** The API server compiles a policy some time after it was created. */
  async function enforced() {
    const pod = {
      metadata: { name: 'probe', labels: { 'paperclip.io/adapter-type': 'claude_k8s' } },
      spec: { hostNetwork: true, containers: [{ name: 'probe', image: cluster.image }] },
    }
    await vi.waitFor(
      async () => {
        const refused = cluster.api.create(`/api/v1/namespaces/${name}/pods?dryRun=All`, pod)
        await expect(refused).rejects.toThrow(/network, the processes or the memory of the node/)
        await expect(refused).rejects.toBeInstanceOf(ApiError)
      },
      { timeout: 60_000, interval: 500 },
    )
  }

  test('tru_19 a plain run with the claim that is listed passes', async () => {
    const result = await execute(cluster.context({ config: { workspaceVolumeClaim: cluster.claimName } }))
    expect(result).toMatchObject({ errorMessage: null, exitCode: 0 })
  })

  const volume = (/** @type {object} */ source) => ({ spec: { volumes: [{ name: 'foreign', ...source }] } })
  const made = (/** @type {object} */ members) => ({ ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } }, ...members } } } })
  const claude = (/** @type {object} */ members) => ({ spec: { containers: [{ name: 'claude', ...members }] } })

  test.concurrent.each([
    ['a foreign Secret', volume({ secret: { secretName: 'other-run' } }), /may mount only the Secrets of its own run/],
    ['a foreign Secret in a projection', volume({ projected: { sources: [{ secret: { name: 'other-run' } }] } }), /may mount only the Secrets of its own run/],
    ['a variable from a foreign Secret', claude({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'other-run', key: 'a', optional: true } } }] }), /environment only from the Secrets/],
    ['an environment from a foreign Secret', claude({ envFrom: [{ secretRef: { name: 'other-run', optional: true } }] }), /environment only from the Secrets/],
    ['a foreign claim', volume({ persistentVolumeClaim: { claimName: 'other' } }), /only the claims/],
    ['a new volume with the content of a claim', volume(made({ dataSource: { kind: 'PersistentVolumeClaim', name: 'data' } })), /from another claim or snapshot/],
    ['a new claim of a volume by its name', volume(made({ volumeName: 'pv-of-the-server' })), /choose one by its name/],
    ['a directory of the node', volume({ hostPath: { path: '/' } }), /may not mount a directory of the node/],
    ['a volume of another type', volume({ nfs: { server: '192.0.2.1', path: '/' } }), /a volume of this type/],
    ['the network of the node', { spec: { hostNetwork: true } }, /may not use the network/],
    ['the processes of the node', { spec: { hostPID: true } }, /may not use the network, the processes/],
    ['a privileged container', claude({ securityContext: { privileged: true, allowPrivilegeEscalation: true } }), /may not be privileged/],
    ['added capabilities', claude({ securityContext: { capabilities: { add: ['NET_ADMIN'] } } }), /add capabilities/],
    ['a foreign service account', { spec: { serviceAccountName: 'paperclip' } }, /only under the service accounts/],
  ])('tru_19 a run that asks for %s is refused with the words of the policy', async (_, podTemplate, words) => {
    const ctx = cluster.context({ config: { podTemplate: JSON.stringify(podTemplate), scheduleTimeoutSec: 8 } })
    const result = await execute(ctx)
    expectFailure(result, 'k8s_pod_schedule_failed')
    expect(result.errorMessage).toMatch(words)
  })

  test('the network policy is what a server accepts, selects the pods of agents, and leaves out metadata and private ranges', async () => {
    const policy = parse(readFileSync(fromRoot('deploy/network/networkpolicy.yaml'), 'utf8'))
    const { spec } = await cluster.api.create(`/apis/networking.k8s.io/v1/namespaces/${name}/networkpolicies`, policy)
    expect(spec).toEqual(policy.spec)
    const ctx = cluster.context({ config: { retainJobs: true } })
    expect(await execute(ctx)).toMatchObject({ errorMessage: null })
    const { labels } = (await cluster.podOf(ctx)).metadata
    expect(labels).toMatchObject(spec.podSelector.matchLabels)
    const outside = spec.egress.flatMap((/** @type {any} */ rule) => rule.to).filter((/** @type {any} */ peer) => peer.ipBlock)
    const except = outside.flatMap((/** @type {any} */ { ipBlock }) => ipBlock.except)
    expect(except).toEqual(expect.arrayContaining(['169.254.0.0/16', 'fc00::/7', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']))
    await cluster.removeJobs()
  })
})
