/** What a Job inherits from the pod of its host. */

import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'

import { fromRoot } from './paths.js'
import { startCluster } from './support/cluster.js'
import { expectFailure, neverStarted } from './support/expect-run.js'
import { inHostPod } from './support/host-pod.js'
import { kubeconfigText, readKubeconfig } from './support/kubeconfig.js'
import { accountName, oldRole } from './support/manifests.js'
import { reportIn, reportingCli } from './support/reporting-cli.js'
import { storedObjects } from './support/stored.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster({ claim: true })
const core = `/api/v1/namespaces/${cluster.namespace}`
const reporting = await reportingCli(cluster)
afterAll(() => cluster.stop())
afterEach(async () => {
  vi.unstubAllEnvs()
  await cluster.removeJobs()
})

const literals = [
  { name: 'LITERAL', value: 'here' },
  { name: 'EMPTY', value: '' },
  { name: 'COMPOSED', value: '$(LITERAL)/more' },
  { name: 'SERVICE_TOKEN', value: 'inherited-token-1' },
  { name: 'ANTHROPIC_MODEL', value: 'model-of-the-host' },
  { name: 'TZ', value: 'Europe/Berlin' },
  { name: 'PAPERCLIP_API_URL', value: 'http://paperclip.internal:3100' },
]
const ofTheServer = ['DATABASE_URL', 'BETTER_AUTH_SECRET', 'PAPERCLIP_AGENT_JWT_SECRET', 'NODE_OPTIONS', 'OTEL_EXPORTER_OTLP_ENDPOINT'].map((name) => ({ name, value: `planted-${name}` }))
/** What a host of 0.2 gave to every agent. */
const everything = { inheritEnv: '*', inheritVolumes: '*' }
const scheduling = {
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'agents', operator: 'Exists', effect: 'NoSchedule' }],
}

test('a host that only says which pod it is in gives image and literals, and nothing that could mislead elsewhere', async () => {
  await cluster.api.create(`${core}/pods`, {
    metadata: { name: 'named-host' },
    spec: {
      ...scheduling,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'paperclip', image: cluster.image, imagePullPolicy: 'IfNotPresent', command: ['sleep', '1000'], env: [...literals, ...ofTheServer] }],
    },
  })
  vi.stubEnv('HOSTNAME', 'named-host')
  vi.stubEnv('POD_NAMESPACE', cluster.namespace)
  const { pod, claude } = await storedObjects(cluster, { config: { image: undefined, inheritEnv: 'COMPOSED' } })
  await cluster.api.remove(`${core}/pods/named-host`)
  expect(claude.image).toBe(cluster.image)
  const names = claude.env.map((/** @type {{ name: string }} */ { name }) => name)
  expect(names).toEqual(expect.arrayContaining(['COMPOSED', 'ANTHROPIC_MODEL']))
  expect(names, 'TRU-13: what nobody asked for stays').not.toContain('LITERAL')
  expect(claude.env, 'TRU-15: what is harmless may be read').toContainEqual({ name: 'TZ', value: 'Europe/Berlin' })
  expect(claude.env.find((/** @type {{ name: string }} */ { name }) => name === 'COMPOSED')).not.toHaveProperty('value')
  expect(JSON.stringify(pod)).not.toMatch(/planted|model-of-the-host|inherited-token-1/)
  for (const member of ['nodeSelector', 'tolerations']) expect(pod[member], member).toBeUndefined()
})

// The rest needs the account and the mounts of a real pod.
if (cluster.is('real')) {
  const { clusterIP } = (await cluster.api.get('/api/v1/namespaces/default/services/kubernetes')).spec
  /** The Secrets and the ConfigMap that the host pods refer to. They would count as left behind by a run. */
  const objects = [
    { kind: 'secrets', metadata: { name: 'agents' }, stringData: { key: 'from-secret', 'tls.crt': 'certificate' } },
    { kind: 'secrets', metadata: { name: 'host-env' }, stringData: { FROM_ENV_FROM: 'yes', PAPERCLIP_SECRETS_MASTER_KEY: 'planted-master-key' } },
    { kind: 'secrets', metadata: { name: 'server-keys' }, stringData: { master: 'planted-master-key' } },
    { kind: 'secrets', metadata: { name: 'paperclip-secrets' } },
    { kind: 'configmaps', metadata: { name: 'settings' }, data: { 'a.json': '{"a":1}', 'b.json': 'not mounted' } },
  ]
  /** @param {string} namespace */
  const createObjects = async (namespace) => {
    for (const { kind, ...object } of objects) await cluster.api.create(`/api/v1/namespaces/${namespace}/${kind}`, object)
  }
  beforeEach(() => createObjects(cluster.namespace))
  afterEach(async () => {
    for (const { kind, metadata } of objects) await cluster.api.remove(`${core}/${kind}/${metadata.name}`)
  })

  /**
   * A configuration as in a cluster: what is left out is inherited.
   * @param {Record<string, unknown>} [config]
   */
  const inCluster = (config) => {
    const { kubeconfig, namespace, image, imagePullPolicy, env, ...rest } = /** @type {Record<string, unknown>} */ (cluster.context().config)
    return { ...rest, ...config }
  }
  /** @param {Record<string, unknown>} [config] @returns {import('./support/host-pod.js').Step} */
  const run = (config) => ({ call: 'execute', options: { config: inCluster({ retainJobs: true, ...config }) } })
  /** @param {any} told */
  const warnings = (told) => told.status.filter((/** @type {string} */ line) => line.includes('Warning: '))
  /** The pod specification in the Job of a run. @param {import('./support/cluster.js').Cluster} place @param {any} result */
  async function podSpec(place, { resultJson }) {
    const { job } = resultJson.k8s
    return (await place.jobs()).find(({ metadata }) => metadata.name === job).spec.template.spec
  }
  /** @param {any[]} volumes */
  const kindsOf = (volumes) => volumes.map(({ name, ...source }) => `${name} ${Object.keys(source)}`).filter((kind) => !/^(paperclip-|reporting-cli)/.test(kind))

  const data = { name: 'data', persistentVolumeClaim: { claimName: cluster.claimName } }
  const dataMount = { name: 'data', mountPath: '/paperclip' }
  /** The data volume is the same in all tests, so is the user of the server that writes there. */
  const securityContext = { runAsUser: 1234, runAsGroup: 2345 }
  /** The usual host: its data volume is the claim. */
  const withData = { securityContext, containers: [{ name: 'paperclip', env: literals, volumeMounts: [dataMount] }], volumes: [data] }
  /** One that uses everything a pod may have. */
  const rich = {
    ...scheduling,
    hostAliases: [{ ip: '192.0.2.7', hostnames: ['git.internal'] }],
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['192.0.2.53'], searches: ['internal'] },
    imagePullSecrets: [{ name: 'registry' }],
    securityContext,
    containers: [
      { name: 'proxy', image: cluster.image, imagePullPolicy: 'IfNotPresent', command: ['sleep', '1000'] },
      {
        name: 'paperclip',
        env: [
          ...literals,
          ...ofTheServer,
          { name: 'FROM_SECRET', valueFrom: { secretKeyRef: { name: 'agents', key: 'key' } } },
          { name: 'FROM_CONFIG_MAP', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a.json' } } },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'CPUS', valueFrom: { resourceFieldRef: { containerName: 'paperclip', resource: 'limits.cpu' } } },
          { name: 'HOST_CACHE', value: '/var/cache/host/npm' },
          { name: 'PAPERCLIP_SECRETS_MASTER_KEY_FILE', value: '/keys/master' },
        ],
        envFrom: [{ secretRef: { name: 'host-env' } }],
        volumeMounts: [
          dataMount,
          { name: 'certs', mountPath: '/etc/certs' },
          { name: 'certs', mountPath: '/etc/one.crt', subPath: 'tls.crt' },
          { name: 'settings', mountPath: '/etc/settings' },
          { name: 'projected', mountPath: '/etc/projected' },
          { name: 'cache', mountPath: '/var/cache/host' },
          { name: 'keys', mountPath: '/keys' },
        ],
      },
    ],
    volumes: [
      data,
      { name: 'certs', secret: { secretName: 'agents', defaultMode: 0o444 } },
      { name: 'settings', configMap: { name: 'settings', items: [{ key: 'a.json', path: 'deep/a.json' }] } },
      { name: 'projected', projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { configMap: { name: 'settings', items: [{ key: 'a.json', path: 'a' }] } }] } },
      { name: 'cache', emptyDir: {} },
      { name: 'keys', secret: { secretName: 'server-keys' } },
    ],
  }

  test('FLD-21: a Job that shares a ReadWriteOnce claim with the server\'s pod runs on its node', async () => {
    const [name, claim] = [`${cluster.namespace}-once`, 'once']
    const storage = { accessModes: ['ReadWriteOnce'], storageClassName: 'shared' }
    const { hostPath } = (await cluster.api.get(`/api/v1/persistentvolumes/${cluster.namespace}`)).spec
    const claimRef = { namespace: cluster.namespace, name: claim }
    await cluster.api.create('/api/v1/persistentvolumes', { metadata: { name }, spec: { ...storage, capacity: { storage: '1Gi' }, claimRef, hostPath } })
    const resources = { requests: { storage: '1Gi' } }
    await cluster.api.create(`${core}/persistentvolumeclaims`, { metadata: { name: claim }, spec: { ...storage, volumeName: name, resources } })
    try {
      const host = { ...withData, volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim } }] }
      const [{ result, told }] = await inHostPod(cluster, [run()], host)
      expect(result.errorMessage).toBeNull()
      const { nodeAffinity } = (await podSpec(cluster, result)).affinity
      const matchFields = [{ key: 'metadata.name', operator: 'In', values: [result.resultJson.k8s.node] }]
      expect(nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution).toEqual({ nodeSelectorTerms: [{ matchFields }] })
      expect(told.status.filter((/** @type {string} */ line) => line.includes('the Job runs on its node'))).toHaveLength(1)
    } finally {
      for (const { metadata } of await cluster.jobs()) await cluster.removeJob(metadata.name)
      await cluster.api.remove(`${core}/persistentvolumeclaims/${claim}`)
      await cluster.api.remove(`/api/v1/persistentvolumes/${name}`)
    }
  })

  test('pod_06 pod_07 cfg_06 prm_06 in the own namespace a Job has what its host has, and nothing of the server', async () => {
    // The reporting CLI reads the files of its options.
    const extraArgs = ['--certs', '/etc/certs', '--one', '/etc/one.crt', '--settings-of-host', '/etc/settings', '--projected', '/etc/projected', '--keys', '/keys']
    const [{ result, told }] = await inHostPod(cluster, [run({ ...reporting.config, ...everything, extraArgs })], rich)
    expect(result.errorMessage).toBeNull()
    const [job] = await cluster.jobs()
    const stored = job.spec.template.spec
    expect(stored).toMatchObject({
      nodeSelector: scheduling.nodeSelector,
      tolerations: expect.arrayContaining(scheduling.tolerations),
      hostAliases: rich.hostAliases,
      dnsPolicy: 'None',
      dnsConfig: rich.dnsConfig,
      imagePullSecrets: rich.imagePullSecrets,
      securityContext: { runAsNonRoot: true, ...rich.securityContext },
      automountServiceAccountToken: false,
    })
    expect(stored.containers.map((/** @type {any} */ { name, image }) => `${name} ${image}`)).toEqual([`claude ${cluster.image}`])
    expect(kindsOf(stored.volumes)).toEqual(['data persistentVolumeClaim', 'inh-0 secret', 'inh-1 configMap', 'inh-2 projected'])
    expect(JSON.stringify(job), 'what may be a credential is not in the Job').not.toMatch(/planted|model-of-the-host|inherited-token-1|from-secret/)

    const { env, uid, cwd, files } = reportIn(told.output)
    expect({ uid, cwd }).toEqual({ uid: 1234, cwd: '/paperclip' })
    expect(env).toMatchObject({
      LITERAL: 'here',
      EMPTY: '',
      COMPOSED: 'here/more',
      SERVICE_TOKEN: 'inherited-token-1',
      FROM_SECRET: 'from-secret',
      FROM_CONFIG_MAP: '{"a":1}',
      FROM_ENV_FROM: 'yes',
      POD: (await cluster.pods())[0].metadata.name,
      CPUS: '2',
      PAPERCLIP_API_URL: 'http://paperclip.internal:3100',
      NODE_ENV: 'development',
      HOME: '/paperclip',
    })
    expect(Object.entries(env).filter(([name, value]) => name === 'HOST_CACHE' || value.includes('planted'))).toEqual([])
    expect(warnings(told)).toContainEqual(expect.stringMatching(/`HOST_CACHE` is not inherited: .* lies in a volume/))
    const inherited = Object.entries(files).filter(([name]) => /^--(certs|one|settings-of-host|projected|keys)/.test(name) && !name.includes('/..'))
    expect(Object.fromEntries(inherited)).toEqual({
      '--certs/key': 'from-secret',
      '--certs/tls.crt': 'certificate',
      '--one': 'certificate',
      '--settings-of-host/deep/a.json': '{"a":1}',
      '--projected/a': '{"a":1}',
    })
  })

  test('TRU-13 TRU-14 TRU-15 TRU-17: a Job gets what Claude Code needs and what is named, also out of a source of many variables', async () => {
    const host = /** @type {any} */ (structuredClone(rich))
    host.containers[1] = { ...host.containers[1], envFrom: [{ secretRef: { name: 'host-env' } }, { secretRef: { name: 'more-env' } }] }
    /** @type {Record<string, unknown>} */
    const config = { ...reporting.config, inheritEnv: ['FROM_ENV_FROM'], inheritVolumes: ['settings'] }
    const more = { metadata: { name: 'more-env' }, stringData: { ANTHROPIC_CUSTOM: 'from-source', SMTP_PASS: 'planted-smtp' } }
    await cluster.api.create(`${core}/secrets`, more)
    try {
      const steps = [run(config), { ...run(config), call: /** @type {const} */ ('testEnvironment') }]
      const [{ result, told }, { result: report }] = await inHostPod(cluster, steps, host)
      expect(result.errorMessage).toBeNull()
      const { env } = reportIn(told.output)
      expect(env).toMatchObject({ FROM_ENV_FROM: 'yes', ANTHROPIC_CUSTOM: 'from-source', ANTHROPIC_MODEL: 'model-of-the-host', TZ: 'Europe/Berlin' })
      for (const name of ['SMTP_PASS', 'LITERAL', 'SERVICE_TOKEN', 'FROM_SECRET', 'POD']) expect(env).not.toHaveProperty(name)
      const [job] = await cluster.jobs()
      expect(JSON.stringify(job)).not.toMatch(/planted|model-of-the-host|from-source|inherited-token-1|envFrom/)
      expect(kindsOf(job.spec.template.spec.volumes)).toEqual(['data persistentVolumeClaim', 'inh-0 configMap'])
      const lines = told.status.filter((/** @type {string} */ line) => line.includes('Not inherited from'))
      expect(lines).toEqual([expect.stringMatching(/variables LITERAL, .*SERVICE_TOKEN.*; the rest of envFrom host-env, more-env; volumes certs, projected; /)])
      expect(report.checks).toContainEqual(expect.objectContaining({ code: 'k8s_not_inherited', level: 'info' }))
    } finally {
      await cluster.api.remove(`${core}/secrets/more-env`)
    }
  })

  test('prm_08 prm_09 ses_02 host and pod share the data volume: skills travel with the payload, the workspace is the run directory, the session goes on', async () => {
    const step = run({
      ...reporting.config,
      instructionsFilePath: fromRoot('LICENSE'),
      paperclipRuntimeSkills: [{ key: 'co/deploy', runtimeName: 'deploy', source: fromRoot('deploy') }],
      paperclipSkillSync: { desiredSkills: ['co/deploy'] },
    })
    step.processEnv = { PAPERCLIP_K8S_INSTRUCTIONS_DIRS: fromRoot('.') }
    step.options = { ...step.options, agent: { id: 'agent-1', companyId: 'company-1' }, context: { taskId: 'task', paperclipWorkspace: { cwd: '/paperclip/work', source: 'project' } } }
    const ended = await inHostPod(cluster, [step, { ...step, resume: true }], withData)
    for (const [index, { result, told }] of ended.entries()) {
      expect(result.errorMessage).toBeNull()
      const { arguments: argv, files, cwd } = reportIn(told.output)
      expect(cwd).toBe('/paperclip/work')
      expect(argv[argv.indexOf('--add-dir') + 1]).toBe('/opt/paperclip/run/bundle')
      expect(files['--add-dir/.claude/skills/deploy/role.yaml']).toContain('kind: Role')
      expect(files['--append-system-prompt-file']).toContain('MIT License')
      expect(argv.includes('--resume')).toBe(index === 1)
      const { workingDir } = (await podSpec(cluster, result)).containers[0]
      expect(workingDir, 'a directory is used once it exists: the kubelet would make it for root').toBe(index === 0 ? '/paperclip' : '/paperclip/work')
    }
  })

  test('cfg_10 in another namespace a Job has the placement of its host, and one line names what it cannot have', async () => {
    const other = await startCluster()
    try {
      await bind(other)
      const [{ result, told }, { result: report }] = await inHostPod(cluster, [run({ ...everything, namespace: other.namespace }), { ...run({ ...everything, namespace: other.namespace }), call: 'testEnvironment' }], rich)
      expect(result.errorMessage).toBeNull()
      const stored = await podSpec(other, result)
      expect(stored).toMatchObject({ nodeSelector: scheduling.nodeSelector, dnsConfig: rich.dnsConfig, hostAliases: rich.hostAliases })
      expect(stored).not.toHaveProperty('imagePullSecrets')
      expect(kindsOf(stored.volumes)).toEqual(['data emptyDir'])
      expect(stored.containers[0].env).toContainEqual(expect.objectContaining({ name: 'LITERAL' }))
      expect(JSON.stringify(stored)).not.toMatch(/planted|model-of-the-host|"name":"agents"|host-env/)
      const named = warnings(told).filter((/** @type {string} */ line) => line.includes('another namespace'))
      expect(named).toHaveLength(1)
      for (const what of ['FROM_SECRET', 'FROM_CONFIG_MAP', 'host-env', 'registry', 'certs', cluster.claimName]) expect(named[0]).toContain(what)
      expect(report.checks.map((/** @type {any} */ { code }) => code)).toEqual(expect.arrayContaining(['k8s_self_pod_found', 'k8s_namespace_check_failed', 'k8s_pvc_not_detected', 'k8s_job_dry_run_ok']))
    } finally {
      await other.stop()
    }
  })

  test('pod_06 with a kubeconfig the own pod counts only where it is proven to be in the same cluster', async () => {
    /** @param {string} path */
    const seenFromAPod = (path) => kubeconfigText({ ...readKubeconfig(path), server: `https://${clusterIP}`, namespace: cluster.namespace })
    const blind = await cluster.kubeconfigWithout('pods', 'get')
    const [same, unproven] = await inHostPod(cluster, [cluster.kubeconfig, blind].map((path) => run({ ...everything, kubeconfig: seenFromAPod(path) })), rich)
    expect([same?.result.errorMessage, unproven?.result.errorMessage]).toEqual([null, null])
    expect(kindsOf((await podSpec(cluster, same?.result)).volumes)).toHaveLength(4)
    const stored = await podSpec(cluster, unproven?.result)
    expect(stored.containers[0]).toMatchObject({ image: cluster.image, env: expect.arrayContaining([expect.objectContaining({ name: 'LITERAL' })]) })
    for (const member of ['nodeSelector', 'tolerations', 'imagePullSecrets', 'hostAliases', 'dnsConfig']) expect(stored).not.toHaveProperty(member)
    expect(kindsOf(stored.volumes)).toEqual(['data emptyDir'])
  })

  test('env_02 in a well set-up pod the environment test passes', async () => {
    const [{ result }] = await inHostPod(cluster, [{ ...run(), call: 'testEnvironment' }], withData)
    expect(result.checks.filter((/** @type {any} */ { level }) => level !== 'info')).toEqual([])
    expect(result.status).toBe('pass')
    expect(result.checks.map((/** @type {any} */ { code }) => code).filter((/** @type {string} */ code) => !code.startsWith('k8s_rbac_'))).toEqual([
      'k8s_api_reachable',
      'k8s_self_pod_found',
      'k8s_not_inherited',
      'k8s_namespace_exists',
      'k8s_secret_exists',
      'k8s_pvc_rwx',
      'k8s_isolation',
      'k8s_job_dry_run_ok',
    ])
  })

  test('cfg_05 a pod without the token of its account says so', async () => {
    const [{ result: report }, { result }] = await inHostPod(cluster, [{ ...run(), call: 'testEnvironment' }, run()], { ...withData, automountServiceAccountToken: false })
    expect(report).toMatchObject({ status: 'fail', checks: [{ code: 'k8s_api_unreachable', detail: 'k8s_no_service_account_token' }] })
    expectFailure(result, 'configuration_incomplete')
    expect(result).toMatchObject({ ...neverStarted, resultJson: { k8s: { reason: 'k8s_no_service_account_token' } } })
    expect(result.errorMessage).toContain('automountServiceAccountToken')
  })

  test('env_03 under the Role of 0.1.54 a host that shares its data volume runs in three degraded modes, and nothing stays on the volume', async () => {
    await cluster.kubeconfigAs('old', () => oldRole)
    const pod = { ...withData, serviceAccountName: 'old' }
    const [{ result: report }, { result, told }] = await inHostPod(cluster, [{ ...run(), call: 'testEnvironment' }, run({ ...reporting.config, isolation: 'none', extraArgs: ['--staged', '/paperclip/.paperclip-claude-k8s'] })], pod)
    expect(report.status).toBe('warn')
    expect(report.checks.find((/** @type {any} */ { code }) => code === 'k8s_rbac_secret_create')).toMatchObject({ level: 'warn', hint: expect.stringContaining('staging') })
    expect(result.errorMessage).toBeNull()
    expect(result.resultJson.k8s.degraded).toEqual([/^polling /, /^created unsuspended /, /^staging /].map((mode) => expect.stringMatching(mode)))
    for (const mode of result.resultJson.k8s.degraded) {
      expect(told.stderr.split(mode)).toHaveLength(2)
      expect(told.meta[0].commandNotes).toContain(`Degraded: ${mode}`)
    }
    const { files, env, prompt_bytes: bytes } = reportIn(told.output)
    expect(bytes).toBe(Buffer.byteLength(told.meta[0].prompt))
    expect(env.PAPERCLIP_API_KEY).toMatch(/^token-/)
    const [job] = await cluster.jobs()
    expect(JSON.stringify(job)).not.toContain(env.PAPERCLIP_API_KEY)
    expect(Object.keys(files).filter((name) => name.startsWith('--staged/')).length, 'the payload of the running pod').toBeGreaterThan(0)
    const [{ told: later }] = await inHostPod(cluster, [run({ ...reporting.config, isolation: 'none', extraArgs: ['--staged', '/paperclip/.paperclip-claude-k8s'] })], withData)
    expect(Object.keys(reportIn(later.output).files).filter((name) => name.startsWith('--staged/'))).toEqual([])
  })

  test('pod_08 with any host pod the Job is valid and runs at the restricted level', async () => {
    const restricted = await startCluster({ claim: true })
    const place = `/api/v1/namespaces/${restricted.namespace}`
    const claim = { name: 'data', persistentVolumeClaim: { claimName: restricted.claimName } }
    const secret = (/** @type {string} */ name) => ({ name, secret: { secretName: 'agents' } })
    const at = (/** @type {string} */ name, /** @type {string[]} */ ...paths) => paths.map((mountPath) => ({ name, mountPath }))
    /** @type {Record<string, any>} */
    const hosts = {
      bare: {},
      rich: { ...rich, containers: rich.containers, volumes: [claim, ...rich.volumes.slice(1)] },
      'names-of-ours': { volumes: [claim, secret('paperclip-run'), secret('inh-0'), secret('paperclip-scratch')], mounts: [...at('data', '/paperclip'), ...at('paperclip-run', '/a'), ...at('inh-0', '/b'), ...at('paperclip-scratch', '/c')] },
      'paths-of-ours': { volumes: [secret('x')], mounts: at('x', '/paperclip', '/opt/paperclip/run', '/opt/paperclip/scratch/sub', '/var/run/secrets/kubernetes.io/serviceaccount/more') },
      'many-mounts': { volumes: [claim, secret('x')], mounts: [...at('data', '/paperclip', '/srv/again'), ...at('x', '/a', '/a/b', '/paperclip/inside/')] },
      'only-a-token': { volumes: [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }], mounts: at('token', '/token') },
      privileged: { hostNetwork: true, hostPID: true, securityContext: { runAsUser: 0 }, volumes: [{ name: 'root', hostPath: { path: '/' } }], mounts: at('root', '/host'), container: { securityContext: { privileged: true } } },
      'other-path': { volumes: [claim], mounts: at('data', '/srv/data/'), container: { env: [{ name: 'PAPERCLIP_HOME', value: '/srv/data/home' }] } },
    }
    try {
      await bind(restricted)
      await createObjects(restricted.namespace)
      for (const [name, { mounts, container, ...spec }] of Object.entries(hosts)) {
        const containers = spec.containers ?? [{ name: 'paperclip', image: cluster.image, ...container, ...(mounts && { volumeMounts: mounts }) }]
        const withImage = containers.map((/** @type {any} */ one) => ({ image: cluster.image, ...one }))
        // It is only there to be read: no node ever takes it.
        await restricted.api.create(`${place}/pods`, { metadata: { name }, spec: { schedulingGates: [{ name: 'example.org/never' }], ...spec, containers: withImage } })
      }
      await cluster.api.patch(place, { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } })
      const steps = Object.keys(hosts).map((name) => {
        const processEnv = { HOSTNAME: name, PAPERCLIP_NAMESPACE: restricted.namespace, PAPERCLIP_HOME: '/srv/data/home' }
        return { ...run(), processEnv }
      })
      const ended = await inHostPod(cluster, steps)
      expect(Object.fromEntries(Object.keys(hosts).map((name, index) => [name, ended[index]?.result.errorMessage]))).toEqual(Object.fromEntries(Object.keys(hosts).map((name) => [name, null])))
    } finally {
      await restricted.stop()
    }
  })

  /** Lets the account of the host use another namespace, as `deploy/README.md` says. @param {import('./support/cluster.js').Cluster} place */
  const bind = (place) =>
    cluster.api.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${place.namespace}/rolebindings`, {
      metadata: { name: 'host-elsewhere' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: accountName },
      subjects: [{ kind: 'ServiceAccount', name: accountName, namespace: cluster.namespace }],
    })
}
