/** The command line with the native module, and at most an API server that only answers access reviews. */

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { parseAllDocuments } from 'yaml'

import { fromRoot } from './paths.js'
import { kubeconfigText } from './support/kubeconfig.js'

vi.setConfig({ testTimeout: 300_000 })
const folder = mkdtempSync(join(tmpdir(), 'command-line-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/**
 * @param {string[]} args
 * @returns {Promise<{ exitCode: unknown, stdout: string, stderr: string }>}
 */
function command(...args) {
  const { PATH = '' } = process.env
  return new Promise((resolve) =>
    execFile(process.execPath, [fromRoot('dist/bin.js'), ...args], { env: { PATH, NO_COLOR: '1' } }, (error, stdout, stderr) =>
      resolve({ exitCode: error ? error.code : 0, stdout, stderr }),
    ),
  )
}

/** @type {string[]} */
const requests = []
const server = http.createServer(async (request, response) => {
  const [path = ''] = (request.url ?? '').split('?')
  requests.push(`${request.method} ${path}`)
  const parts = []
  for await (const part of request) parts.push(part)
  const review = path.endsWith('/selfsubjectaccessreviews')
  response.writeHead(review ? 201 : 404, { 'content-type': 'application/json' })
  const answer = review
    ? { ...JSON.parse(Buffer.concat(parts).toString()), status: { allowed: true } }
    : { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'NotFound', code: 404 }
  response.end(JSON.stringify(answer))
})
beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'))
afterAll(() => server.close())

/** @param {Record<string, unknown>} config */
function configFile(config) {
  const path = join(folder, 'agent.json')
  writeFileSync(path, JSON.stringify(config))
  return path
}

test('doctor without a cluster fails and says what to set', async () => {
  const { exitCode, stdout, stderr } = await command('doctor')
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' })
  expect(stdout).toContain('✖ Not in a cluster and no kubeconfig: set `kubeconfig`')
  expect(stdout).toMatch(/\nfail {2}errors: 1, /)
})

test('prm_04 render shows what a run would create, masks every value and writes nothing', async () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const kubeconfig = kubeconfigText({ server: `http://127.0.0.1:${port}`, token: 'planted-token-1', namespace: 'builds' })
  const env = { PAPERCLIP_API_URL: 'http://192.0.2.1:3100', SERVICE_PASSWORD: 'planted-password-1' }
  const config = configFile({ kubeconfig, image: 'example.org/claude:1', env, labels: { team: 'planted-password-1' } })
  const { exitCode, stdout, stderr } = await command('render', '--config', config)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const [job, ...secrets] = parseAllDocuments(stdout).map((document) => document.toJS())
  expect(job).toMatchObject({ apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'builds' }, spec: { suspend: true } })
  expect(secrets.map(({ kind }) => kind)).toEqual(['Secret'])
  expect(new Set(secrets.flatMap(({ data }) => Object.values(data)))).toEqual(new Set(['***']))
  expect(stdout).toContain('env.SERVICE_PASSWORD: "***" # 18 bytes')
  expect(stdout).not.toContain('planted')

  expect(requests.length).toBeGreaterThan(0)
  expect(requests.filter((request) => !request.startsWith('GET ') && !request.endsWith('/selfsubjectaccessreviews'))).toEqual([])
})

test('render names a configuration that would be refused', async () => {
  const { exitCode, stdout, stderr } = await command('render', '--config', configFile({ timeoutSec: 'soon' }))
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  expect(stderr).toMatch(/^error: configuration_incomplete: .*timeoutSec.*\. Next: change the named keys\n$/)
})

test('render says that the cluster does not answer', async () => {
  const kubeconfig = kubeconfigText({ server: 'http://127.0.0.1:9', token: 't', namespace: 'builds' })
  const { exitCode, stderr } = await command('render', '--config', configFile({ kubeconfig, image: 'example.org/claude:1' }))
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(/^error: k8s_api_unreachable: The Kubernetes API at http:\/\/127\.0\.0\.1:9\/ is not usable .* Next: check server address, credentials and network\n$/)
})
