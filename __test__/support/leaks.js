/** What a test file can leave behind in its process. */

/**
 * Kinds of resources that somebody has to end. Pipes, timers and idle connections are left out: the test runner and
 * Node's own `fetch` keep some.
 */
const kept = ['TCPServerWrap', 'ProcessWrap']

/** @returns {{ env: Record<string, string | undefined>, resources: Map<string, number> }} */
export const snapshot = () => ({ env: { ...process.env }, resources: countByKind() })

function countByKind() {
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

/**
 * @param {ReturnType<typeof snapshot>} before
 * @returns {string[]} one text for each variable and each kind of resource
 */
export function leftBehind(before) {
  const names = new Set([...Object.keys(before.env), ...Object.keys(process.env)])
  const variables = [...names].filter((name) => before.env[name] !== process.env[name])
  const now = countByKind()
  const more = kept.filter((kind) => (now.get(kind) ?? 0) > (before.resources.get(kind) ?? 0))
  return [...variables.map((name) => `the variable ${name}`), ...more.map((kind) => `${now.get(kind)} × ${kind}`)]
}
