/** What a kubeconfig of an agent's configuration must not make the server do. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'

import { expectFailure, neverStarted } from './support/expect-run.js'
import { hostContext } from './support/host.js'
import { execute, testEnvironment } from './support/package.js'

vi.setConfig({ testTimeout: 300_000 })
/** A server of somebody else's, and what it was sent. */
const requests = /** @type {{ url: string, authorization: string | undefined }[]} */ ([])
const foreign = createServer((request, response) => {
  requests.push({ url: request.url ?? '', authorization: request.headers.authorization })
  response.writeHead(401, { 'content-type': 'application/json' }).end('{"kind":"Status","code":401,"reason":"Unauthorized"}')
})
await new Promise((done) => void foreign.listen(0, '127.0.0.1', () => done(undefined)))
const { port } = /** @type {import('node:net').AddressInfo} */ (foreign.address())
const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
const marker = join(folder, 'was-run')
const file = join(folder, 'server-file')
writeFileSync(file, 'text-of-the-server')

beforeEach(() => void requests.splice(0))
afterEach(() => rmSync(marker, { force: true }))
afterAll(() => {
  foreign.close()
  rmSync(folder, { recursive: true })
})

/** @param {Record<string, unknown>} user @param {Record<string, unknown>} [cluster] */
const content = (user, cluster) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
    clusters: [{ name: 'k', cluster: { server: `http://127.0.0.1:${port}`, ...cluster } }],
    users: [{ name: 'u', user }],
  })

/** @param {Record<string, unknown>} config */
const both = async (config) => {
  const context = () => hostContext({ config: { namespace: 'ns', image: 'none', ...config } })
  const report = await testEnvironment({ ...context(), companyId: 'company-1', adapterType: 'claude_k8s' })
  return { report: JSON.stringify(report), result: await execute(context()) }
}

const exec = { apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Never', command: 'sh', args: ['-c', `echo > ${marker}`] }
test.each([
  ['exec', { exec }],
  ['auth-provider', { 'auth-provider': { name: 'gcp', config: { 'cmd-path': 'sh', 'cmd-args': `-c "echo > ${marker}"` } } }],
  ['tokenFile', { tokenFile: file }],
  ['client-certificate', { 'client-certificate': file, 'client-key': file }],
])('TRU-01: `%s` in the content of a kubeconfig is refused by name, in a run and in the environment test', async (member, user) => {
  for (const key of ['kubeconfig', 'kubeconfigData']) {
    const { report, result } = await both({ [key]: content(user) })
    expectFailure(result, 'configuration_incomplete')
    expect(result).toMatchObject({ ...neverStarted, errorMeta: { keys: expect.arrayContaining([key]) } })
    for (const text of [report, result.errorMessage]) {
      expect(text).toContain(`users[0].user.${member}`)
      expect(text).toContain('a file that only the operator can write')
      expect(text).not.toContain(folder)
    }
  }
  expect(existsSync(marker), 'a program ran in the server').toBe(false)
  expect(requests, 'a file of the server was sent away').toEqual([])
})

test('TRU-01: a kubeconfig without credentials sends none, whatever the process has', async () => {
  const { result } = await both({ kubeconfigData: content({}) })
  expect(result.errorMessage).toContain('401')
  expect(requests.length).toBeGreaterThan(0)
  expect(requests.map(({ authorization }) => authorization).filter(Boolean)).toEqual([])
})
