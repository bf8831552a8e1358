/** What a server that a tenant's kubeconfig names can take of its host's memory: answers without an end (TRU-03). */

import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout } from 'node:timers/promises'

import { afterEach, expect, test, vi } from 'vitest'

import { hostContext } from './support/host.js'
import { kubeconfigText } from './support/kubeconfig.js'
import { ceiling, measuredHost, mib, row } from './support/memory.js'

vi.setConfig({ testTimeout: 300_000 })

/** @type {(() => void)[]} */
const cleanups = []
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()))

/** @typedef {(url: URL, response: import('node:http').ServerResponse) => Promise<boolean>} Attack answers what it attacks with */

/** What an ordinary server says to everything else: it keeps the Jobs that it is given. */
function ordinaryServer() {
  /** @type {any[]} */
  const jobs = []
  /** @param {string | undefined} method @param {URL} url @param {any} body @returns {[number, object]} */
  return (method, url, body) => {
    const [kind = '', name = ''] = url.pathname.split('/').slice(-2)
    const job = kind === 'jobs' && jobs.find(({ metadata }) => metadata.name === name)
    if (method === 'POST') {
      const metadata = { ...body.metadata, uid: 'uid-of-the-run', resourceVersion: '1', generation: 1, creationTimestamp: new Date().toISOString() }
      const stored = { ...body, metadata, ...(body.kind?.endsWith('Review') && { status: { allowed: true } }) }
      if (name === 'jobs') jobs.push(stored)
      return [201, stored]
    }
    if (job && method === 'PATCH') Object.assign(job.spec, body.spec)
    if (job) return [200, job]
    if (['jobs', 'pods', 'secrets', 'events'].includes(name)) return [200, { kind: 'List', metadata: { resourceVersion: '1' }, items: name === 'jobs' ? jobs : [] }]
    return [404, { kind: 'Status', status: 'Failure', code: 404, reason: 'NotFound', message: 'not found' }]
  }
}

/** @param {Attack} attack */
async function hostileServer(attack) {
  const sent = { bytes: 0 }
  const ordinary = ordinaryServer()
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://server')
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const write = response.write.bind(response)
    response.write = /** @type {any} */ ((/** @type {Buffer | string} */ chunk) => ((sent.bytes += chunk.length), write(chunk)))
    response.setMaxListeners(0).on('error', () => {})
    response.setHeader('content-type', 'application/json')
    if (request.method === 'GET' && (await attack(url, response))) return
    const text = Buffer.concat(chunks).toString()
    const [status, answer] = ordinary(request.method, url, text.startsWith('{') ? JSON.parse(text) : {})
    response.writeHead(status).end(JSON.stringify(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => void (server.closeAllConnections(), server.close()))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const { signal, ...ctx } = hostContext({ config: { kubeconfigData: kubeconfigText({ server: `http://127.0.0.1:${port}`, token: 'x' }), namespace: 'ns', image: 'none' } })
  return { sent, ctx }
}

/** Waits while nobody takes it. False when nobody will. @param {import('node:http').ServerResponse} response @param {string} piece */
const flows = async (response, piece) => {
  if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve))
  return !response.destroyed
}

const isWatch = (/** @type {URL} */ url) => ['true', '1'].includes(url.searchParams.get('watch') ?? '')
const isList = (/** @type {URL} */ url) => /\/(jobs|pods)$/.test(url.pathname) && !isWatch(url)

let count = 0
/** A Job or pod that is its own, and as large as asked for. @param {URL} url @param {number} size */
function object(url, size) {
  const uid = `foreign-${count++}`
  const annotations = { 'paperclip.io/agent-name': 'x'.repeat(size), 'tenant.example/note': 'y'.repeat(size) }
  const labels = { 'app.kubernetes.io/managed-by': 'paperclip', 'paperclip.io/adapter-type': 'claude_k8s' }
  const ownerReferences = url.pathname.endsWith('pods') ? [{ apiVersion: 'batch/v1', kind: 'Job', name: uid, uid: `job-${uid}` }] : undefined
  return JSON.stringify({ metadata: { name: uid, namespace: 'ns', uid, resourceVersion: String(count), annotations, labels, ownerReferences } })
}

/** A pod of containers that say nothing: a dozen bytes each, of which the API types make a thousand. @param {URL} url */
const hollow = (url) => {
  const containers = Array(450).fill({ name: '' })
  return JSON.stringify({ ...JSON.parse(object(url, 1)), spec: url.pathname.endsWith('pods') ? { containers } : { selector: {}, template: { spec: { containers } } } })
}

/** Pages of a list that never ends. @param {number} items @param {number} size @param {(url: URL, size: number) => string} [make] @returns {Attack} */
const endlessPages = (items, size, make = object) => async (url, response) => {
  if (!isList(url)) return false
  response.writeHead(200)
  response.write('{"metadata":{"continue":"more","resourceVersion":"1"},"items":[')
  for (let item = 0; item < items; item++) if (!(await flows(response, `${item ? ',' : ''}${make(url, size)}`))) return true
  response.end(']}')
  return true
}

/** Events of a watch that never ends, behind a list that is empty. @param {number} size @returns {Attack} */
const endlessEvents = (size) => async (url, response) => {
  if (!isWatch(url)) return false
  response.writeHead(200)
  while (await flows(response, `{"type":"ADDED","object":${object(url, size)}}\n`));
  return true
}

/** A list with `sendInitialEvents`, or whatever a watch begins with, whose end never comes. @param {number} size @returns {Attack} */
const endlessBeginning = (size) => async (url, response) => (await endlessPages(500, size)(url, response)) || endlessEvents(size)(url, response)

/** How long each attack lasts at most. */
const attackMs = 15_000

test.each([
  ['pages of a list without an end, 7 MiB each', endlessPages(500, 7000), 200],
  ['pages of a list without an end, of small objects', endlessPages(500, 10), 20],
  ['pages of a list without an end, of hollow containers', endlessPages(500, 0, hollow), 60],
  ['large events of a watch without an end', endlessEvents(400_000), 2000],
  ['small events of a watch without an end', endlessEvents(10), 60],
  ['a watch whose first list never ends', endlessBeginning(3000), 200],
])('TRU-03: %s take no more than their share', async (what, attack, mebibytes) => {
  const host = measuredHost()
  cleanups.push(host.stop)
  const refusing = await hostileServer(async (_, response) => (response.writeHead(403).end('{"kind":"Status","code":403,"reason":"Forbidden"}'), true))
  const before = (await host.run(refusing.ctx)).most
  const { sent, ctx } = await hostileServer(attack)
  const until = Date.now() + attackMs
  host.start(ctx)
  let most = 0
  while (sent.bytes < mebibytes * mib && Date.now() < until) {
    most = Math.max(most, host.resident())
    await setTimeout(50)
  }
  row(`${what} (${Math.round(sent.bytes / mib)} MiB sent)`, most - before)
  expect(sent.bytes, 'the attack was carried out').toBeGreaterThan(mib)
  expect(most - before).toBeLessThanOrEqual(ceiling)
})
