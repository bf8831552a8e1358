/** A minimal Kubernetes client for preparing and inspecting a cluster. The adapter's own client is never used for that. */

import http from 'node:http'
import https from 'node:https'

/** @typedef {import('./kubeconfig.js').Credentials} Credentials */

export class ApiError extends Error {
  /** @param {string} what @param {number} status @param {string} body */
  constructor(what, status, body) {
    super(`${what} answered ${status}: ${body.slice(0, 500)}`)
    this.status = status
  }
}

/**
 * Options of `http.request` for one path of an API server.
 * @param {Credentials} credentials
 * @param {string} path with query
 * @returns {https.RequestOptions}
 */
export function requestOptions({ server, ca, cert, key, token }, path) {
  const { protocol, hostname, port } = new URL(server)
  const tls = protocol === 'https:' ? { ca, cert, key } : {}
  return { protocol, hostname, port, path, headers: token ? { authorization: `Bearer ${token}` } : {}, ...tls }
}

/** @param {Credentials} credentials */
export const transportOf = (credentials) => (credentials.server.startsWith('https:') ? https : http)

/** @typedef {ReturnType<typeof createApi>} KubeApi */

/** @param {Credentials} credentials */
export function createApi(credentials) {
  const transport = transportOf(credentials)
  const agent = new transport.Agent({ keepAlive: true, maxSockets: 8 })

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body] sent as JSON
   * @param {string} [contentType]
   * @returns {Promise<string>}
   */
  function text(method, path, body, contentType = 'application/json') {
    return new Promise((resolve, reject) => {
      const options = requestOptions(credentials, path)
      const request = transport.request({ ...options, method, agent, timeout: 30_000 }, (response) => {
        /** @type {Buffer[]} */
        const parts = []
        response.on('data', (part) => parts.push(part))
        response.on('error', reject)
        response.on('end', () => {
          const answer = Buffer.concat(parts).toString()
          const status = response.statusCode ?? 0
          if (status < 300) resolve(answer)
          else reject(new ApiError(`${method} ${path}`, status, answer))
        })
      })
      request.on('timeout', () => request.destroy(new Error(`${method} ${path} got no answer for 30 s`)))
      request.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
        // The server has closed a connection that lay idle just when it was used again, and has read nothing.
        if (request.reusedSocket && error.code === 'ECONNRESET') text(method, path, body, contentType).then(resolve, reject)
        else reject(error)
      })
      if (body === undefined) return request.end()
      const sent = Buffer.from(JSON.stringify(body))
      // Node does not frame the body of a DELETE by itself.
      request.setHeader('content-length', sent.length)
      request.setHeader('content-type', contentType)
      request.end(sent)
    })
  }

  /** @param {string} method @param {string} path @param {unknown} [body] @param {string} [contentType] @returns {Promise<any>} */
  const json = async (method, path, body, contentType) => JSON.parse(await text(method, path, body, contentType))

  return {
    text,
    /** @param {string} path @returns {Promise<any>} */
    get: (path) => json('GET', path),
    /** @param {string} path @returns {Promise<any[]>} */
    list: async (path) => (await json('GET', path)).items ?? [],
    /** @param {string} path @param {unknown} body @returns {Promise<any>} */
    create: (path, body) => json('POST', path, body),
    /** @param {string} path @param {unknown} body @returns {Promise<any>} */
    patch: (path, body) => json('PATCH', path, body, 'application/merge-patch+json'),
    /**
     * Removes an object; one that is gone already is fine.
     * @param {string} path
     */
    async remove(path) {
      try {
        await json('DELETE', path, { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' })
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 404)) throw error
      }
    },
    /**
     * Calls back for each event of a watch until the returned function is called.
     * @param {string} path of the list
     * @param {(event: { type: string, object: any }) => void} onEvent
     */
    watch(path, onEvent) {
      const options = requestOptions(credentials, `${path}?watch=true`)
      const request = transport.request({ ...options, agent: false }, (response) => {
        let rest = ''
        response.setEncoding('utf8')
        response.on('error', () => {}) // closed by us
        response.on('data', (part) => {
          const lines = (rest + part).split('\n')
          rest = lines.pop() ?? ''
          for (const line of lines) onEvent(JSON.parse(line))
        })
      })
      request.on('error', () => {}) // closed by us
      request.end()
      return () => request.destroy()
    },
    close: () => agent.destroy(),
  }
}
