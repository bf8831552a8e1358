/** What a pod sees of a data volume like a real server's: a pod walks everything below its home and says what is there. */

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectFailure } from './support/expect-run.js'
import { inHostPod } from './support/host-pod.js'
import { execute, testEnvironment } from './support/package.js'
import { scriptedCli } from './support/scripted-cli.js'
import { storedObjects } from './support/stored.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster({ claim: true })
const core = `/api/v1/namespaces/${cluster.namespace}`
afterAll(() => cluster.stop())
afterEach(() => cluster.removeJobs())

const agent = { id: 'agent-1', companyId: 'company-1' }

test('tru_11 on a claim that the host does not see, the home of an agent is a directory of its own', async () => {
  const config = { workspaceVolumeClaim: cluster.claimName, isolation: 'agent' }
  const { claude } = await storedObjects(cluster, { agent, config })
  const home = claude.volumeMounts.filter((/** @type {any} */ { name }) => name === 'data')
  expect(home).toEqual([{ name: 'data', mountPath: '/paperclip', subPath: 'k8s-homes/company-1/agent-1' }])
  expect(await execute(cluster.context({ agent, config }))).toMatchObject({ errorMessage: null, exitCode: 0 })
  const { checks } = await testEnvironment({ adapterType: 'claude_k8s', companyId: 'company-1', config: cluster.context({ config }).config })
  expect(checks).toContainEqual(expect.objectContaining({ code: 'k8s_isolation', level: 'info', detail: expect.stringContaining('nothing of a server is expected') }))
})

if (cluster.is('real')) {
  const session = '11111111-2222-4333-8444-555555555555'
  const walk = `cat > /dev/null
mkdir -p "$HOME/.claude/projects/-paperclip"
echo '{}' >> "$HOME/.claude/projects/-paperclip/${session}.jsonl"
all=$(find /paperclip -mindepth 1 2> /dev/null | sort | base64 -w0)
foreign=$(grep -rl -e planted /paperclip 2> /dev/null | sort | base64 -w0)
writable=
for directory in /paperclip /paperclip/instances/default/workspaces/agent-1 /paperclip/instances/default/projects/company-1 /paperclip/instances/default/companies/company-1/agents/agent-1; do
  touch "$directory/.written" 2> /dev/null && writable="$writable $directory"
done
broken=
mv /paperclip/instances /paperclip/moved 2> /dev/null && broken="$broken instances"
rm -rf /paperclip/adapter-plugins 2> /dev/null && broken="$broken adapter-plugins"
for file in adapter-plugins.json .env; do
  (echo evil > "/paperclip/$file") 2> /dev/null && broken="$broken $file"
done
printf '{"type":"system","subtype":"walk","all":"%s","foreign":"%s","writable":"%s","broken":"%s","cwd":"%s"}\\n' "$all" "$foreign" "$writable" "$broken" "$PWD"
echo '{"type":"result","subtype":"success","is_error":false,"result":"walked","session_id":"${session}"}'
`
  /** The word in each file of the server, of other agents and of other companies. */
  const planted = [
    ...['secrets/master.key', 'db/pg_hba.conf', 'data/run-logs/run.ndjson', 'logs/server.log', 'config.json', '.env', 'runtime/runner.json', 'skills/company-1/deploy/SKILL.md'],
    ...['workspaces/agent-2/notes', 'projects/company-2/p/repo/file', 'companies/company-1/agents/agent-2/instructions/AGENTS.md', 'companies/company-2/agents/agent-3/x', 'k8s-homes/company-1/agent-2/.claude.json'],
  ].map((path) => `instances/default/${path}`)
  const plantedAtHome = ['instances/other/secrets/master.key', 'adapter-plugins/node_modules/plugin/index.js', 'adapter-plugins.json', 'plugins/one/index.js', '.env', 'config.json', '.paperclip-claude-k8s/runs/job/env/TOKEN']
  const own = ['instances/default/workspaces/agent-1/notes', 'instances/default/projects/company-1/p/repo/file', 'instances/default/companies/company-1/agents/agent-1/instructions/AGENTS.md']
  const common = ['.claude/.credentials.json', 'work/repo/file', 'tools/bin/x']
  const ofTheServer = [...planted, ...plantedAtHome]

  /** Writes the volume anew. @param {string} [more] commands of the shell */
  async function fill(more = '') {
    const write = (/** @type {string[]} */ paths, /** @type {string} */ word) => paths.map((path) => `mkdir -p "$(dirname ${path})"; echo ${word} > ${path}`)
    const script = [
      'cd /data; rm -rf instances adapter-plugins* plugins work tools .claude .env config.json .paperclip* .written moved',
      ...write(ofTheServer, 'planted'),
      ...write([...own, ...common], 'mine'),
      more,
      // As a server does that runs under the user of the pods: everything is theirs.
      'chown -R 1000:1000 /data; chmod 0777 /data',
    ].join('\n')
    const pods = `${core}/pods`
    await cluster.api.create(pods, {
      metadata: { name: 'fill' },
      spec: {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        volumes: [data],
        containers: [{ name: 'sh', image: cluster.image, imagePullPolicy: 'IfNotPresent', command: ['sh', '-ec', script], securityContext: { runAsUser: 0 }, volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
      },
    })
    const phase = await until('the volume is filled', async () => {
      const { status } = await cluster.api.get(`${pods}/fill`)
      return ['Succeeded', 'Failed'].find((end) => end === status.phase)
    })
    await cluster.api.remove(`${pods}/fill`)
    await until('the helper pod is gone', () => cluster.api.get(`${pods}/fill`).then(() => false, () => true))
    expect(phase).toBe('Succeeded')
  }

  const data = { name: 'data', persistentVolumeClaim: { claimName: cluster.claimName } }
  const host = (/** @type {object} */ securityContext) => ({
    securityContext,
    containers: [{ name: 'paperclip', env: [{ name: 'PAPERCLIP_API_URL', value: 'http://paperclip.internal:3100' }], volumeMounts: [{ name: 'data', mountPath: '/paperclip' }] }],
    volumes: [data],
  })
  const walking = await scriptedCli(cluster, 'walking-cli', walk)
  /** @param {Record<string, unknown>} config @param {Record<string, unknown>} [context] @returns {import('./support/host-pod.js').Step} */
  const run = (config, context = {}) => {
    const { kubeconfig, namespace, image, imagePullPolicy, env, ...rest } = /** @type {Record<string, unknown>} */ (cluster.context().config)
    return { call: 'execute', options: { agent, context, config: { ...rest, ...walking, runAsUser: 1000, runAsGroup: 1000, ...config } }, processEnv: { PAPERCLIP_HOME: '/paperclip' } }
  }
  /** What the pod has seen. @param {any} ended */
  function seen({ result, told }) {
    expect(result.errorMessage).toBeNull()
    const line = told.output.split('\n').find((/** @type {string} */ text) => text.includes('"walk"'))
    const report = JSON.parse(line)
    const lines = (/** @type {string} */ base64) => Buffer.from(base64, 'base64').toString().split('\n').filter(Boolean)
    return { ...report, all: lines(report.all), foreign: lines(report.foreign), writable: report.writable.trim().split(' '), broken: report.broken.trim() }
  }
  const inHome = (/** @type {string[]} */ paths) => paths.map((path) => `/paperclip/${path}`)

  test.each([
    ['root', {}],
    ['the user of the pods', { runAsUser: 1000, runAsGroup: 1000 }],
  ])('tru_08 tru_09 with a host that is %s, a pod finds no file of the server, of another agent or of another company', async (_, securityContext) => {
    await fill()
    const [agents] = await inHostPod(cluster, [run({ isolation: 'agent' })], host(securityContext))
    const inAgent = seen(agents)
    expect(inAgent.foreign).toEqual([])
    expect(inAgent.all).toEqual(expect.arrayContaining(inHome(own)))
    for (const path of inHome([...ofTheServer, ...common])) expect(inAgent.all).not.toContain(path)
    expect(inAgent.writable).toHaveLength(4)

    const [servers] = await inHostPod(cluster, [run({})], host(securityContext))
    const inServer = seen(servers)
    expect(inServer.foreign).toEqual([])
    expect(inServer.all).toEqual(expect.arrayContaining(inHome([...own, ...common])))
    for (const path of inHome(planted)) expect(inServer.all).not.toContain(path)
    expect(inServer.writable).toHaveLength(4)
    expect(inServer.broken, 'what stands over a part of the server can be neither moved nor replaced').toBe('')

    const [none] = await inHostPod(cluster, [run({ isolation: 'none' })], host(securityContext))
    const inNone = seen(none)
    expect(inNone.foreign, 'the same volume without isolation').toEqual(expect.arrayContaining(inHome(planted)))
    if (process.env.ISOLATION_LISTS) console.log(JSON.stringify({ agent: inAgent.all, server: inServer.all, none: inNone.all }, null, 1))
  })

  test('tru_09 whatever cwd, workspaceSubPath, AGENT_HOME or a workspace says, a link included, no part of the server is mounted', async () => {
    const links = 'ln -s ../instances/default/secrets work/link; ln -s . work/deep; ln -s instances/default jump'
    await fill(links)
    const workspace = (/** @type {string} */ cwd) => ({ paperclipWorkspace: { cwd, source: 'project', agentHome: '/paperclip/instances/default/workspaces/agent-2' }, paperclipWorkspaces: [{ cwd: '/paperclip/instances/default/db' }] })
    const attacks = [
      { config: { cwd: '/paperclip/work/link' } },
      { config: { cwd: '/paperclip/jump/secrets' } },
      { config: { cwd: '/paperclip/instances/default/secrets' } },
      { config: { cwd: '/paperclip/work/../instances/default/secrets' } },
      { config: { workspaceSubPath: 'instances/default/secrets' } },
      { config: { workspaceSubPath: 'instances/default/k8s-homes/company-1/agent-2' } },
      { config: {}, context: workspace('/paperclip/work/link') },
      { config: {}, context: workspace('/paperclip/instances/default/projects/company-2/p') },
    ]
    const before = await inHostPod(cluster, [run({ isolation: 'none', cwd: '/paperclip/work/link' })], host({ runAsUser: 1000 }))
    expect(seen(before[0]).foreign).toContain('/paperclip/instances/default/secrets/master.key')
    const steps = attacks.map(({ config, context }) => run({ isolation: 'agent', ...config }, context))
    const ended = await inHostPod(cluster, steps, host({ runAsUser: 1000 }))
    for (const { result } of ended) {
      expectFailure(result, 'configuration_incomplete')
      expect(result.errorMessage).toMatch(/isolation/)
    }
    const [hinted] = await inHostPod(cluster, [run({ isolation: 'agent' }, workspace('/paperclip/work/repo'))], host({ runAsUser: 1000 }))
    const shown = seen(hinted)
    expect(shown).toMatchObject({ foreign: [], cwd: '/paperclip/work/repo' })
    expect(shown.all).toContain('/paperclip/work/repo/file')
  })

  test('tru_10 a session of the common home goes on in the home of the agent, and its login stays where it is', async () => {
    await fill()
    const [first, second] = await inHostPod(cluster, [run({ isolation: 'server' }), { ...run({ isolation: 'agent' }), resume: true }], host({ runAsUser: 1000 }))
    seen(first)
    const { all } = seen(second)
    expect(second.told.meta[0].commandArgs).toContain('--resume')
    expect(all).toContain(`/paperclip/.claude/projects/-paperclip/${session}.jsonl`)
    expect(all).not.toContain('/paperclip/.claude/.credentials.json')
  })

  test('tru_12 the environment test says what a pod would see, and calls the parts of the server an error', async () => {
    await fill()
    const again = { spec: { volumes: [{ name: 'again', persistentVolumeClaim: { claimName: cluster.claimName } }], containers: [{ name: 'claude', volumeMounts: [{ name: 'again', mountPath: '/again' }] }] } }
    const steps = [{ isolation: 'agent' }, {}, { isolation: 'none' }, { podTemplate: again }].map((config) => /** @type {const} */ ({ ...run({ podTemplate: undefined, ...config }), call: 'testEnvironment' }))
    const reports = await inHostPod(cluster, steps, host({ runAsUser: 1000 }))
    const findings = reports.map(({ result }) => result.checks.filter((/** @type {any} */ { code }) => code.startsWith('k8s_isolation')).map((/** @type {any} */ { code, level }) => `${code} ${level}`))
    expect(findings).toEqual([
      ['k8s_isolation info', 'k8s_isolation_login info'],
      ['k8s_isolation info'],
      ['k8s_isolation_none warn', 'k8s_isolation_server_visible error'],
      ['k8s_isolation info', 'k8s_isolation_claim_mounted error'],
    ])
  })
}
