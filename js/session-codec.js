/**
 * Stored session ⇄ `runtime.sessionParams`. The host adds keys of its own before storing: unknown ones are ignored.
 * Every field that a run writes is listed here, or it would be lost (SES-01).
 */

import { asText, isObject } from './json.js'

/** Output key → names it was ever stored under, first one wins. */
const aliases = {
  sessionId: ['sessionId', 'session_id'],
  cwd: ['cwd', 'workdir', 'folder'],
  workspaceId: ['workspaceId', 'workspace_id'],
  repoUrl: ['repoUrl', 'repo_url'],
  repoRef: ['repoRef', 'repo_ref'],
  promptBundleKey: ['promptBundleKey', 'prompt_bundle_key'],
  mcpServerIdentity: ['mcpServerIdentity', 'mcp_server_identity'],
  usageTotals: ['usageTotals'],
}

/**
 * @param {unknown} raw
 * @returns {Record<string, unknown> | null}
 */
function deserialize(raw) {
  if (!isObject(raw)) return null
  /** @type {Record<string, unknown>} */
  const session = {}
  for (const [key, names] of Object.entries(aliases)) {
    const value = firstText(raw, names)
    if (value !== null) session[key] = value
  }
  return 'sessionId' in session ? session : null
}

/**
 * @param {import('./types.d.ts').JsonObject} raw
 * @param {string[]} names
 */
function firstText(raw, names) {
  for (const name of names) {
    const value = asText(raw[name])
    if (value !== null) return value
  }
  return null
}

/** @type {import('@paperclipai/adapter-utils').AdapterSessionCodec} */
export const sessionCodec = {
  deserialize,
  serialize: deserialize,
  getDisplayId: (params) => (isObject(params) ? firstText(params, aliases.sessionId) : null),
}
