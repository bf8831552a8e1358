import { once } from 'node:events'
import http from 'node:http'

import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'

import { startProxy } from './support/proxy.js'
import { until } from './support/until.js'

/** A server whose answers are decided by each test. */
/** @type {http.RequestListener} */
let handler = (_, response) => response.end()
const upstream = http.createServer((request, response) => handler(request, response))
upstream.listen(0, '127.0.0.1')
await once(upstream, 'listening')
const { port } = /** @type {import('node:net').AddressInfo} */ (upstream.address())

/** @type {import('./support/proxy.js').Proxy} */
let proxy
beforeEach(async () => {
  proxy = await startProxy({ upstream: { server: `http://127.0.0.1:${port}`, token: 'account' } })
})
afterEach(() => proxy.stop())
afterAll(() => {
  upstream.closeAllConnections()
  upstream.close()
})

const logPath = '/api/v1/namespaces/n/pods/p/log?follow=true'
const watchPath = '/api/v1/namespaces/n/pods?watch=true'

/** @param {string} path */
const read = async (path) => {
  const response = await fetch(proxy.url + path)
  return { status: response.status, text: await response.text(), retryAfter: response.headers.get('retry-after') }
}

test('without a rule bytes, status and the credentials of the account pass through', async () => {
  handler = (request, response) => {
    response.writeHead(201, { 'content-type': 'text/plain' })
    request.on('data', (part) => response.write(part))
    request.on('end', () => response.end(`|${request.headers.authorization}`))
  }
  const response = await fetch(`${proxy.url}/apis/batch/v1/namespaces/n/jobs`, { method: 'POST', body: 'ärger' })
  expect(response.status).toBe(201)
  expect(await response.text()).toBe('ärger|Bearer account')
  expect(proxy.requests).toMatchObject([{ verb: 'create', resource: 'jobs', status: 201 }])
})

test('a body is cut after exactly so many bytes, cleanly or by a reset', async () => {
  handler = (_, response) => response.end('0123456789')
  proxy.rule({ resource: 'pods/log', times: 1, breakOff: 'end', afterBytes: 4 })
  proxy.rule({ resource: 'pods/log', breakOff: 'reset', afterBytes: 4 })
  expect((await read(logPath)).text).toBe('0123')
  await expect(read(logPath)).rejects.toThrow()
  expect(proxy.requests.map(({ bytes }) => bytes)).toEqual([4, 4])
})

test('a stalled answer stays open and silent', async () => {
  handler = (_, response) => response.end('0123456789')
  proxy.rule({ resource: 'pods/log', breakOff: 'stall', afterBytes: 3 })
  const response = await fetch(proxy.url + logPath)
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader()
  expect((await reader.read()).value).toHaveLength(3)
  const next = await Promise.race([reader.read(), new Promise((done) => setTimeout(done, 200, 'silence'))])
  expect(next).toBe('silence')
  await reader.cancel()
  await until('the proxy notices that the client has gone', () => proxy.requests[0]?.endedAt)
})

test('an open answer is broken off on demand', async () => {
  handler = (_, response) => response.write('{"type":"ADDED","object":{}}\n')
  const answer = read(watchPath)
  const open = await until('the watch is open', () => proxy.requests.find(({ bytes }) => bytes > 0))
  open.breakOff('gone')
  const events = (await answer).text.trim().split('\n').map((line) => JSON.parse(line))
  expect(events).toMatchObject([{ type: 'ADDED' }, { type: 'ERROR', object: { code: 410, reason: 'Expired' } }])
})

test('a status is answered without asking the server, so often as the rule says', async () => {
  handler = (_, response) => response.end('{}')
  const rule = proxy.rule({ verb: 'get', resource: 'pods', times: 1, status: 429, retryAfterSec: 7 })
  const path = '/api/v1/namespaces/n/pods/p'
  const refused = await read(path)
  expect(refused).toMatchObject({ status: 429, retryAfter: '7' })
  expect(JSON.parse(refused.text)).toMatchObject({ kind: 'Status', reason: 'TooManyRequests', code: 429 })
  expect(await read(path)).toMatchObject({ status: 200 })
  expect(rule.hits).toBe(1)
})

test('objects are rewritten or hidden in watches, lists and reads', async () => {
  const one = { metadata: { name: 'one' }, status: { conditions: [1] } }
  const two = { metadata: { name: 'two' } }
  handler = (request, response) => {
    response.setHeader('content-type', 'application/json')
    const events = `${JSON.stringify({ type: 'ADDED', object: one })}\n${JSON.stringify({ type: 'ADDED', object: two })}\n`
    if (request.url?.includes('watch')) response.end(events)
    else response.end(JSON.stringify({ items: [one, two] }))
  }
  proxy.rule({
    resource: 'pods',
    rewrite: (object) => (object.metadata.name === 'two' ? null : { ...object, status: {} }),
  })
  const seen = { metadata: { name: 'one' }, status: {} }
  expect(JSON.parse((await read(watchPath)).text)).toEqual({ type: 'ADDED', object: seen })
  expect(JSON.parse((await read('/api/v1/namespaces/n/pods')).text)).toEqual({ items: [seen] })
})

test('a slow client holds back the server instead of filling memory', async () => {
  let written = 0
  handler = (_, response) => {
    const part = Buffer.alloc(1 << 16, 'x')
    const more = () => {
      while (response.write(part)) written += part.length
      written += part.length
    }
    response.on('drain', more)
    more()
  }
  const response = await fetch(proxy.url + logPath)
  let before = -1
  await until('the server is held back', () => {
    const idle = written === before
    before = written
    return idle
  })
  expect(written).toBeLessThan(64 << 20)
  await response.body?.cancel()
})

test('connections are refused for a while and accepted again at the same address', async () => {
  handler = (_, response) => response.end('{}')
  await proxy.refuse()
  await expect(read(logPath)).rejects.toThrow()
  await proxy.accept()
  expect((await read(logPath)).status).toBe(200)
})

test('the same seed breaks off at the same bytes', async () => {
  handler = (_, response) => response.end('x'.repeat(1000))
  const lengths = async () => {
    const other = await startProxy({ upstream: { server: `http://127.0.0.1:${port}` }, seed: 7 })
    other.rule({ breakOff: 'end', afterBytes: [1, 1000] })
    const texts = []
    for (let i = 0; i < 5; i++) texts.push((await (await fetch(other.url + logPath)).text()).length)
    await other.stop()
    return texts
  }
  const first = await lengths()
  expect(await lengths()).toEqual(first)
  expect(new Set(first).size).toBeGreaterThan(1)
})

test('a cut between two lines is moved into the second one, so that a line is truncated', async () => {
  handler = (_, response) => response.end('one\ntwo\nthree\n')
  proxy.rule({ times: 1, breakOff: 'end', afterBytes: 4, midLine: true })
  proxy.rule({ times: 1, breakOff: 'end', afterBytes: 6, midLine: true })
  proxy.rule({ times: 1, breakOff: 'end', afterBytes: 4 })
  expect([(await read(logPath)).text, (await read(logPath)).text, (await read(logPath)).text]).toEqual(['one\nt', 'one\ntw', 'one\n'])
})

test('a request that hangs gets no answer, not even headers, and nobody asks the server', async () => {
  let asked = 0
  handler = (_, response) => {
    asked++
    response.end()
  }
  proxy.rule({ times: 1, hang: true })
  const stop = new AbortController()
  const answer = fetch(proxy.url + logPath, { signal: stop.signal }).then(() => 'answered', () => 'given up')
  await until('the request has arrived', () => proxy.requests.length)
  expect(await Promise.race([answer, new Promise((done) => setTimeout(done, 200, 'silence'))])).toBe('silence')
  stop.abort()
  expect(await answer).toBe('given up')
  expect(asked).toBe(0)
})

test('an answer is delayed, and arrives whole in small pieces', async () => {
  handler = (_, response) => response.end('ärger'.repeat(20))
  proxy.rule({ delayMs: 150, drip: { bytes: 1, everyMs: 1 } })
  const from = Date.now()
  expect((await read(logPath)).text).toBe('ärger'.repeat(20))
  expect(Date.now() - from).toBeGreaterThanOrEqual(150)
})

test('an answer is broken off after a time', async () => {
  handler = (_, response) => response.write('begun\n')
  proxy.rule({ times: 1, breakOff: 'end', afterMs: 100 })
  proxy.rule({ breakOff: 'reset', afterMs: [50, 100] })
  expect((await read(logPath)).text).toBe('begun\n')
  await expect(read(logPath)).rejects.toThrow()
})

test.each([[401], [403], [410], [500], [503]])('status %i hits one verb of one resource and no other', async (status) => {
  handler = (_, response) => response.end('{}')
  proxy.rule({ verb: 'list', resource: 'pods', status })
  const pods = '/api/v1/namespaces/n/pods'
  expect((await read(pods)).status).toBe(status)
  for (const other of [`${pods}/p`, watchPath, logPath, '/apis/batch/v1/namespaces/n/jobs']) expect((await read(other)).status).toBe(200)
})

test('the log of requests says what was done to each, so that a failing run can be told', async () => {
  handler = (_, response) => response.end('0123456789')
  proxy.rule({ verb: 'get', resource: 'pods/log', breakOff: 'reset', afterBytes: [3, 7] })
  await expect(read(logPath)).rejects.toThrow()
  await read(watchPath)
  const [cut, untouched] = proxy.requests
  expect(cut).toMatchObject({ verb: 'get', resource: 'pods/log', path: logPath, status: 200, brokenOff: 'reset' })
  expect(cut?.bytes).toBe(cut?.fault?.afterBytes)
  expect(untouched).toMatchObject({ verb: 'watch', resource: 'pods', bytes: 10 })
  expect(untouched).not.toHaveProperty('brokenOff')
})

test('a server that hangs up, before or inside its answer, is a broken connection for the client and no end of the proxy', async () => {
  handler = (_, response) => response.socket?.destroy()
  await expect(read(logPath)).rejects.toThrow()
  handler = (_, response) => response.write('begun', () => response.socket?.destroy())
  await expect(read(logPath)).rejects.toThrow()
  handler = (_, response) => response.end('back')
  expect((await read(logPath)).text).toBe('back')
})
