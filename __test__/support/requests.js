/** What a request to the API server means, in the words of an audit log. */

/**
 * One request as seen by a server or the proxy.
 * @typedef {object} SeenRequest
 * @property {number} at milliseconds since the epoch, on arrival
 * @property {string} verb `get`, `list`, `watch`, `create`, `patch`, `delete`, …
 * @property {string} resource plural, with subresource: `pods/log`
 * @property {number} [status] HTTP status; absent while there is no answer
 * @property {boolean} [forbidden] no rule of the account's Role grants it
 */

const writeVerbs = new Map([
  ['POST', 'create'],
  ['PUT', 'update'],
  ['PATCH', 'patch'],
])

/**
 * @param {string} method
 * @param {string} target path with query
 * @returns {{ verb: string, resource: string }}
 */
export function meaningOf(method, target) {
  const url = new URL(target, 'http://server')
  const parts = url.pathname.split('/').filter(Boolean)
  const afterVersion = parts[0] === 'api' ? parts.slice(2) : parts.slice(3)
  const inNamespace = afterVersion[0] === 'namespaces' && afterVersion.length > 2
  const [plural, name, subresource] = inNamespace ? afterVersion.slice(2) : afterVersion
  if (!plural) return { verb: method.toLowerCase(), resource: url.pathname }
  const resource = subresource ? `${plural}/${subresource}` : plural
  const written = writeVerbs.get(method)
  if (written) return { verb: written, resource }
  if (method === 'DELETE') return { verb: name ? 'delete' : 'deletecollection', resource }
  const watches = ['1', 'true'].includes(url.searchParams.get('watch') ?? '')
  return { verb: watches ? 'watch' : name ? 'get' : 'list', resource }
}

/**
 * Counts requests by meaning, the most frequent first.
 * @param {SeenRequest[]} requests
 * @returns {Record<string, number>} `{ "get pods/log": 1, … }`
 */
export function countByMeaning(requests) {
  /** @type {Record<string, number>} */
  const counts = {}
  for (const { verb, resource } of requests) counts[`${verb} ${resource}`] = (counts[`${verb} ${resource}`] ?? 0) + 1
  return Object.fromEntries(Object.entries(counts).sort(([, one], [, other]) => other - one))
}
