/**
 * An address of this machine that pods reach: it keeps who asked for what with which credential, and passes requests
 * on to the fake model API, or, as a proxy, to where they were meant for.
 */

import { once } from 'node:events'
import http from 'node:http'
import { buffer } from 'node:stream/consumers'

/** @typedef {Awaited<ReturnType<typeof startGateway>>} Gateway */

/**
 * @param {string} upstream base URL of the fake model API with its scenario
 * @param {(body: any) => boolean} [refuses] requests that get status 400
 */
export async function startGateway(upstream, refuses = () => false) {
  /** Connections, whether or not something was asked on them. */
  let connections = 0
  /** @type {{ method: string, target: string, credential: string }[]} */
  const requests = []

  const server = http.createServer(async (request, response) => {
    const { host, ...headers } = request.headers
    requests.push({ method: request.method ?? '', target: request.url ?? '', credential: String(headers['x-api-key'] ?? headers.authorization ?? '') })
    const body = await buffer(request)
    if (body.length > 0 && refuses(JSON.parse(body.toString()))) {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end('{"type":"error","error":{"type":"invalid_request_error","message":"the turns do not fit together"}}')
      return
    }
    const passed = http.request(request.url?.startsWith('http:') ? request.url : upstream + request.url, { agent: false, method: request.method, headers: { ...headers, 'content-length': body.length } }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    passed.on('error', () => response.destroy())
    passed.end(body)
  })
  server.on('connection', () => connections++)
  server.on('connect', (request, socket) => {
    requests.push({ method: 'CONNECT', target: request.url ?? '', credential: '' })
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  // A connection that lay idle while a tool worked would be closed just when the CLI uses it again.
  server.keepAliveTimeout = 600_000
  const { hostname } = new URL(upstream)
  server.listen(0, hostname)
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    url: `http://${hostname}:${port}`,
    requests,
    connections: () => connections,
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
