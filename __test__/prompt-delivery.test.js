/** What the CLI gets to read: the prompt byte for byte, skills, MCP configuration and instructions. */

import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectFailure, neverStarted } from './support/expect-run.js'
import { transcript } from './support/host.js'
import { execute } from './support/package.js'
import { reportingCli, reportOf } from './support/reporting-cli.js'
import { storedObjects } from './support/stored.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
const reporting = await reportingCli(cluster)
const folder = mkdtempSync(join(tmpdir(), 'claude-k8s-prompt-'))
vi.stubEnv('PAPERCLIP_K8S_INSTRUCTIONS_DIRS', folder)
afterAll(async () => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
  await cluster.stop()
})
afterEach(() => cluster.removeJobs())

/** @param {import('./support/cluster.js').ContextOptions} options */
const reportingContext = ({ config, env, ...rest }) =>
  cluster.context({ ...rest, config: { ...reporting.config, ...config }, env: { ...reporting.env, ...env } })

const KiB = 1024
/** Exactly so many bytes. @param {number} bytes */
const text = (bytes) => '0123456789abcdef'.repeat(Math.ceil(bytes / 16)).slice(0, bytes)
/** Every character that could look like something else, but NUL. */
const binary = Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1)).toString('latin1')
/** Exactly the largest prompt. */
const limit = 8 * KiB * KiB

test.each([
  ['1 byte', { promptTemplate: 'x' }, 1],
  ['99 KiB', { promptTemplate: text(99 * KiB) }, 99 * KiB],
  ['127 KiB', { promptTemplate: text(127 * KiB) }, 127 * KiB],
  ['129 KiB', { promptTemplate: text(129 * KiB) }, 129 * KiB],
  ['255 KiB', { promptTemplate: text(255 * KiB) }, 255 * KiB],
  ['900 KiB, one full Secret', { promptTemplate: text(900 * KiB) }, 900 * KiB],
  ['a byte more than one Secret holds', { promptTemplate: text(900 * KiB + 1) }, 900 * KiB + 1],
  ['1.1 MiB', { promptTemplate: text(1.1 * KiB * KiB) }, Math.floor(1.1 * KiB * KiB)],
  ['4 MiB', { promptTemplate: text(4 * KiB * KiB) }, 4 * KiB * KiB],
  ['8 MiB, the most there may be', { promptTemplate: text(limit) }, limit],
  ['characters of four bytes across the end of a Secret', { promptTemplate: `x${'🎉'.repeat(300_000)}` }, 1_200_001],
  ['characters of two and three bytes', { promptTemplate: 'ärger über 日本語 ∀'.repeat(5000) }, 5000 * Buffer.byteLength('ärger über 日本語 ∀')],
  ['a dash in front', { promptTemplate: '--resume -p - text' }, 18],
])('prm_01 prm_02 the CLI reads exactly the rendered prompt: %s', async (_, config, bytes) => {
  const ctx = reportingContext({ config })
  expect((await execute(ctx)).errorMessage).toBeNull()
  const { prompt } = transcript(ctx).meta[0]
  expect(prompt === config.promptTemplate, 'nothing is added to the template').toBe(true)
  expect(reportOf(ctx)).toMatchObject({ prompt_bytes: bytes, prompt_sha256: createHash('sha256').update(prompt).digest('hex') })
})

test.each([
  ['control characters', { config: { promptTemplate: 'end' }, context: { paperclipTaskMarkdown: `<${binary}>` } }, binary],
  ['what a shell and Kubernetes would replace', { config: { promptTemplate: '$(HOME) $$(HOME) ${HOME} `id` \\n %s' } }, '$(HOME) $$(HOME) ${HOME} `id` \\n %s'],
  ['a slash in front', { config: { promptTemplate: '/clear the table' } }, '/clear the table'],
  ['a slash after blanks', { config: { promptTemplate: ' \n\t/exit' } }, '/exit'],
])('prm_10 prm_13 the prompt arrives as text, whatever it looks like: %s', async (_, options, part) => {
  const ctx = reportingContext(options)
  expect((await execute(ctx)).errorMessage).toBeNull()
  const { prompt } = transcript(ctx).meta[0]
  expect(prompt).toContain(part)
  expect(prompt).toMatch(/^[^/\s]/)
  expect(reportOf(ctx)).toMatchObject({
    prompt_bytes: Buffer.byteLength(prompt),
    prompt_sha256: createHash('sha256').update(prompt).digest('hex'),
  })
})

test('prm_02 a prompt above 8 MiB is refused with its own code and creates nothing', async () => {
  const ctx = cluster.context({ config: { promptTemplate: text(limit + 1) } })
  const since = Date.now()
  const result = await execute(ctx)
  expectFailure(result, 'k8s_prompt_too_large')
  expect(result).toMatchObject(neverStarted)
  expect((await cluster.requests(since)).filter(({ verb, resource }) => verb === 'create' && /jobs|secrets|pods/.test(resource))).toEqual([])
})

/** Skills, instructions and MCP servers as a host delivers them, with values that tell them apart. */
function delivery() {
  const home = mkdtempSync(join(folder, 'host-'))
  const source = join(home, 'skill')
  mkdirSync(join(source, 'scripts'), { recursive: true })
  writeFileSync(join(source, 'SKILL.md'), '---\nname: weaving\n---\nWeave ü.\n')
  writeFileSync(join(source, 'scripts/weave.sh'), '#!/bin/sh\necho $(HOME)\n')
  writeFileSync(join(home, 'AGENTS.md'), 'Always weave $(HOME) `twice`.\n')
  const token = `mcp-token-${randomUUID()}`
  return {
    token,
    options: {
      config: {
        instructionsFilePath: join(home, 'AGENTS.md'),
        paperclipRuntimeSkills: [
          { key: 'co/weaving', runtimeName: 'weaving', source },
          { key: 'co/unwanted', runtimeName: 'unwanted', source },
        ],
        paperclipSkillSync: { desiredSkills: ['co/weaving'] },
        mcpServers: { local: { command: 'node', args: ['server.js'] } },
        strictMcpConfig: true,
      },
      runtimeMcp: { getServers: () => [{ name: 'projects', url: 'http://198.51.100.1:3100/mcp', token, connectionId: 'connection-1' }] },
    },
  }
}

test('prm_08 prm_09 skills, MCP configuration and instructions are mounted and readable by the user of the run', async () => {
  const { token, options } = delivery()
  const ctx = reportingContext(options)
  const result = await execute(ctx)
  expect(result.errorMessage).toBeNull()
  const { files, uid } = reportOf(ctx)
  expect(uid, 'the simulator has only its own user').toBe(cluster.is('real') ? 1000 : process.getuid?.())
  const skills = Object.keys(files).filter((name) => name.startsWith('--add-dir/.claude/')).sort()
  expect(skills).toEqual(['--add-dir/.claude/skills/weaving/SKILL.md', '--add-dir/.claude/skills/weaving/scripts/weave.sh'])
  expect(files[skills[0] ?? '']).toBe('---\nname: weaving\n---\nWeave ü.\n')
  expect(files[skills[1] ?? '']).toBe('#!/bin/sh\necho $(HOME)\n')
  expect(files['--append-system-prompt-file']).toContain('Always weave $(HOME) `twice`.')
  expect(JSON.parse(files['--mcp-config'] ?? '')).toEqual({
    mcpServers: {
      local: { command: 'node', args: ['server.js'] },
      projects: { type: 'http', url: 'http://198.51.100.1:3100/mcp', headers: { Authorization: `Bearer ${token}` } },
    },
  })
  expect(JSON.parse(files['--settings'] ?? '').env).toMatchObject({ PAPERCLIP_API_URL: 'http://198.51.100.1:3100' })
  expect(transcript(ctx).status.join('\n')).toContain('Skills bundled (1): weaving')
})

test('prm_04 no secret value and no prompt text is in the Job, its pod or their events', async () => {
  const { token, options } = delivery()
  const planted = { prompt: `planted-prompt-${randomUUID()}`, value: `planted-value-${randomUUID()}`, token }
  const ctx = cluster.context({
    ...options,
    config: { ...options.config, promptTemplate: planted.prompt, retainJobs: true },
    env: { SERVICE_PASSWORD: planted.value },
    context: { paperclipTaskMarkdown: `task ${planted.prompt}` },
  })
  expect((await execute(ctx)).errorMessage).toBeNull()
  const [jobs, pods] = await Promise.all([cluster.jobs(), cluster.pods()])
  expect([jobs.length, pods.length]).toEqual([1, 1])
  const events = await cluster.api.list(`/api/v1/namespaces/${cluster.namespace}/events`)
  const seen = JSON.stringify({ jobs, pods, events })
  for (const value of [...Object.values(planted), ctx.authToken]) {
    expect(seen).not.toContain(value)
    expect(seen, 'in base64').not.toContain(Buffer.from(value).toString('base64').slice(0, 24))
  }
})

test('prm_05 the Secrets hold the payload, belong to the Job and never change', async () => {
  const { token, options } = delivery()
  const promptTemplate = `${text(1.1 * KiB * KiB)} end`
  const { job, secrets } = await storedObjects(cluster, { ...options, config: { ...options.config, promptTemplate } })
  const { name, uid } = job.metadata
  expect(secrets.map(({ metadata }) => metadata.name).sort()).toEqual(
    [`${name}-bundle-0`, `${name}-prompt-0`, `${name}-prompt-1`, `${name}-run`].sort(),
  )
  for (const { immutable, metadata } of secrets) {
    expect(immutable).toBe(true)
    expect(metadata.ownerReferences).toEqual([{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: false, blockOwnerDeletion: false }])
  }
  const stored = secrets.flatMap(({ data }) => Object.values(data)).map((base64) => Buffer.from(base64, 'base64').toString())
  expect(stored.filter((content) => content.includes(token))).toHaveLength(1)
  expect(Math.max(...stored.map((content) => content.length))).toBeLessThanOrEqual(900 * KiB)
})
