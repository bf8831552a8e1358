import { readFileSync } from 'node:fs'

import { beforeEach, expect, test, vi } from 'vitest'

import { adapterVersion } from '../js/identity.js'
import { sharedState } from '../js/native/shared.js'
import { execute } from '../js/run/execute.js'
import { testEnvironment } from '../js/environment-test.js'
import { bootstrap, context, scriptNative } from './run.js'

beforeEach(() => {
  delete sharedState().native
})

test('the native result comes back as it is', async () => {
  const result = { exitCode: 0, signal: null, timedOut: false, summary: 'done', resultJson: { k8s: { job: 'j' } } }
  scriptNative({ wait: async () => JSON.stringify(result) })
  expect(await execute(context())).toEqual(result)
})

test('the request carries the host’s call as data', async () => {
  const { seen } = scriptNative()
  vi.stubEnv('PAPERCLIP_API_URL', 'http://127.0.0.1:3100')
  vi.stubEnv('PAPERCLIP_AGENT_JWT_SECRET', 'server-secret')
  vi.stubEnv('PAPERCLIP_SECRETS_MASTER_KEY_FILE', '/keys/master')
  vi.stubEnv('DATABASE_URL', 'postgres://secret')
  vi.stubEnv('HOSTNAME', 'paperclip-0')
  await execute(
    context({
      authToken: ' token-1 ',
      runtime: { sessionId: 's-1', sessionParams: { session_id: 's-2', folder: '/paperclip/w', extra: 1 }, sessionDisplayId: null, taskKey: 't' },
      config: { promptTemplate: 'Work', paperclipRuntimeSkills: [{ key: 'a/b', runtimeName: 'b', source: '/s' }], paperclipSkillSync: { desiredSkills: ['a/b', 'gone'] } },
      context: {
        taskId: 'task-1',
        paperclipWake: { reason: 'x', issue: { id: 'i', title: 'T' } },
        paperclipRuntimeTools: { bearerToken: 'tools-token' },
        paperclipManagedMcp: { gateways: [{ name: 'managed', url: 'http://m', token: 'm-token', connectionId: 'c2' }, { name: 'no url' }] },
      },
      runtimeMcp: { getServers: () => [{ name: 'projects', url: 'http://p', token: 'p-token', connectionId: 'c1' }] },
      executionTarget: { kind: 'local' },
      externalRuntime: { jobName: 'claude-1', jobUid: 'u-1' },
    }),
  )
  vi.unstubAllEnvs()
  const [{ request }] = seen
  expect(request).toEqual({
    runId: 'run-1',
    agent: { id: 'agent-1', companyId: 'company-1', name: 'Ada', adapterConfig: { env: { A: { type: 'secret_ref' } } } },
    config: expect.objectContaining({ promptTemplate: 'Work' }),
    context: { taskId: 'task-1', paperclipWake: { reason: 'x', issue: { id: 'i', title: 'T' } } },
    session: { sessionId: 's-2', cwd: '/paperclip/w' },
    authToken: 'token-1',
    prompts: { fresh: { text: expect.stringMatching(/Work$/), metrics: expect.any(Object) }, resumed: expect.any(Object) },
    wakePayloadJson: expect.stringContaining('"title":"T"'),
    skillLibrary: expect.stringContaining('- a/b — enabled'),
    skills: [{ key: 'a/b', runtimeName: 'b', source: '/s' }],
    skillWarnings: [expect.stringContaining('gone')],
    mcpServers: [
      { name: 'projects', url: 'http://p', token: 'p-token', connectionId: 'c1' },
      { name: 'managed', url: 'http://m', token: 'm-token', connectionId: 'c2' },
    ],
    executionTarget: { kind: 'local' },
    externalRuntime: { jobName: 'claude-1', jobUid: 'u-1' },
    host: {
      pid: process.pid,
      startedAtMs: expect.any(Number),
      machineId: expect.any(String),
      env: expect.any(Object),
      envNames: expect.any(Array),
      addresses: expect.any(Array),
      adapterVersion,
      inheritable: expect.any(Object),
      userId: process.getuid?.(),
      groupId: process.getgid?.(),
    },
  })
  expect(request.host.env).toMatchObject({ PAPERCLIP_API_URL: 'http://127.0.0.1:3100', HOSTNAME: 'paperclip-0' })
  expect(JSON.stringify(request)).not.toMatch(/server-secret|\/keys\/master|postgres:|tools-token/)
})

test('a run without a task resumes by its id alone, and a run without either has no session', async () => {
  const { seen } = scriptNative()
  const runtime = { sessionParams: null, sessionDisplayId: null, taskKey: null }
  await execute(context({ runtime: { ...runtime, sessionId: 's-1' } }))
  await execute(context({ runtime: { ...runtime, sessionId: null } }))
  expect(seen.map(({ request }) => request.session)).toEqual([{ sessionId: 's-1' }, null])
})

test('every member of the request is known to the native side', async () => {
  const { seen } = scriptNative()
  await execute(context({ externalRuntime: { jobName: 'j', jobUid: 'u' }, runtimeMcp: { getServers: () => [{ name: 'n', url: 'u', token: 't', connectionId: 'c' }] } }))
  const known = rustFields()
  const [{ request }] = seen
  for (const member of [request, request.agent, request.host, request.prompts, request.prompts.fresh, request.mcpServers[0], request.externalRuntime]) {
    for (const name of Object.keys(member)) expect(known, name).toContain(name)
  }
})

/** The names of `request.rs` as JSON has them. */
function rustFields() {
  const source = readFileSync(new URL('../crates/core/src/request.rs', import.meta.url), 'utf8')
  return [...source.matchAll(/^ {4}pub (\w+):/gm)].map(([, name = '']) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()))
}

test('hst_09 a remote target is handed over: the native side refuses it', async () => {
  const { seen } = scriptNative()
  await execute(context({ executionTarget: { kind: 'remote', transport: 'ssh' } }))
  expect(seen[0].request.executionTarget).toEqual({ kind: 'remote', transport: 'ssh' })
})

test('pkg_03 without the native module a run is refused with evidence that nothing was started', async () => {
  scriptNative({ version: '0.0.1' })
  const ctx = context({ onCancellationReady: vi.fn() })
  expect(await execute(ctx)).toEqual({
    exitCode: null,
    signal: null,
    timedOut: false,
    errorCode: 'adapter_engine_unavailable',
    errorMessage: expect.stringContaining('restart the server to finish the upgrade'),
    executionRecovery: bootstrap,
    resultJson: { executionRecovery: bootstrap, k8s: { reason: 'k8s_native_module_unavailable' } },
  })
  expect(ctx.lines).toEqual([])
})

test('a cancel before anything existed is acknowledged, or the host would block the task', async () => {
  scriptNative({ version: '0.0.1' })
  const { resultJson } = await execute(context({ signal: AbortSignal.abort('stop') }))
  expect(resultJson?.['executionCancellation']).toEqual({ state: 'acknowledged', acknowledgedAt: expect.any(String), forced: false })
})

test.each([
  ['the native side rejects', { wait: () => Promise.reject(new Error('panic in `drive`')) }],
  ['the native side answers nonsense', { wait: async () => '{' }],
])('hst_01 when %s the run may have started: no evidence is claimed', async (_, script) => {
  scriptNative(script)
  const result = await execute(context())
  expect(result).toMatchObject({ errorCode: 'internal_error', exitCode: null, timedOut: false })
  expect(result).not.toHaveProperty('executionRecovery')
  expect(result.errorMessage).toContain('The run ended with an internal error')
})

test('hst_01 a run that cannot be prepared is refused with evidence', async () => {
  scriptNative({
    startThrows: () => {
      throw new Error('bad request')
    },
  })
  expect(await execute(context())).toMatchObject({ errorCode: 'internal_error', executionRecovery: bootstrap })
  const circular = /** @type {any} */ ({})
  circular.self = circular
  scriptNative()
  expect(await execute(context({ config: circular }))).toMatchObject({ errorCode: 'internal_error', executionRecovery: bootstrap })
})

test.each([null, undefined, {}, { agent: null }])('hst_01 even %o as context gives a result', async (ctx) => {
  scriptNative()
  expect(await execute(/** @type {any} */ (ctx))).toMatchObject({ exitCode: null, errorCode: 'internal_error' })
})

test('hst_02 a host that cannot name its MCP servers costs the run its tools only', async () => {
  const { seen } = scriptNative()
  const getServers = () => {
    throw new Error('no database')
  }
  const ctx = context({ runtimeMcp: { getServers } })
  await execute(ctx)
  expect(seen[0].request.mcpServers).toEqual([])
  expect(ctx.lines).toEqual(['stderr: [paperclip] Warning: the host could not name its MCP servers: no database\n'])
})

test('the environment test passes the native checks on, under the host’s name of the adapter', async () => {
  /** @type {any[]} */
  const requests = []
  scriptNative({
    check: async (request) => {
      requests.push(request)
      return JSON.stringify({ status: 'warn', checks: [{ code: 'k8s_api_reachable', level: 'info', message: 'ok' }], testedAt: '2026-01-01T00:00:00.000Z' })
    },
  })
  const ctx = { companyId: 'company-1', adapterType: 'claude_k8s', config: { namespace: 'n' }, executionTarget: null }
  expect(await testEnvironment(ctx)).toEqual({
    adapterType: 'claude_k8s',
    status: 'warn',
    checks: [{ code: 'k8s_api_reachable', level: 'info', message: 'ok' }],
    testedAt: '2026-01-01T00:00:00.000Z',
  })
  expect(requests).toEqual([{ agent: { companyId: 'company-1' }, config: { namespace: 'n' }, executionTarget: null, host: expect.any(Object) }])
})

test('env_02 the environment test never throws', async () => {
  scriptNative({ version: '0.0.1' })
  const report = await testEnvironment({ companyId: 'c', adapterType: 'claude_k8s', config: {} })
  expect(report).toMatchObject({ adapterType: 'claude_k8s', status: 'fail', checks: [{ code: 'k8s_native_module_unavailable', level: 'error' }] })
  expect(report.checks[0]?.detail).toContain('restart the server')
  expect(Date.parse(report.testedAt)).not.toBeNaN()
})
