/**
 * Which Paperclip server runs this, and what an older one lacks (HOS-05). Read once from the helper package beside the
 * running server; a server that cannot be told counts as a new one.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { asText } from '../json.js'
import { findPackage } from './utilities.js'

/** @typedef {[year: number, release: number, patch: number]} HostVersion */

/** @type {HostVersion | null | undefined} */
let known

/**
 * @param {string | undefined} [program] file of the running server
 * @returns {HostVersion | null}
 */
export function hostVersion(program = process.argv[1]) {
  return (known ??= read(program))
}

/** For tests: another server. @param {HostVersion | null | undefined} version */
export function setHostVersion(version) {
  known = version
}

/** @param {string | undefined} program @returns {HostVersion | null} */
function read(program) {
  try {
    const root = program === undefined ? null : findPackage(program)
    return root === null ? null : parse(asText(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))['version']))
  } catch {
    return null
  }
}

/** @param {string | null} text such as `2026.916.1` @returns {HostVersion | null} */
export function parse(text) {
  const [, year, release, patch] = /^(\d{4})\.(\d{1,4})\.(\d{1,4})/.exec(text ?? '') ?? []
  return year === undefined ? null : [Number(year), Number(release), Number(patch)]
}

/**
 * What hosts before a release lack, newest first.
 * @satisfies {Record<string, { since: [number, number], lacks: string }>}
 */
export const features = /** @type {const} */ ({
  cancelSignal: { since: [2026, 916], lacks: 'tells no run that it was cancelled; the server is asked every 5 s' },
  usagePerRun: { since: [2026, 722], lacks: 'takes usage for the total of a session; totals are reported where a session carries them' },
  secretFields: { since: [2026, 707], lacks: 'would store `kubeconfigData` in clear text; the form leaves it out' },
})

/** @param {keyof typeof features} name */
export function hostHas(name) {
  const version = hostVersion()
  if (version === null) return true
  const [year, release] = features[name].since
  return version[0] > year || (version[0] === year && version[1] >= release)
}

/** What this host lacks, for people. */
export function lacking() {
  const names = /** @type {(keyof typeof features)[]} */ (Object.keys(features))
  return names.filter((name) => !hostHas(name)).map((name) => features[name].lacks)
}
