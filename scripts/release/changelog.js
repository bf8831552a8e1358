/** `node scripts/release/changelog.js v1.2.3` prints what changed in a version: the notes of its release. */

import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/**
 * The section of `CHANGELOG.md`, without its heading; empty when there is none.
 * @param {string} version
 */
export function changesOf(version) {
  const text = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8')
  const section = text.split(/^## /m).find((part) => part.split('\n', 1)[0]?.trim() === version)
  return section?.slice(section.indexOf('\n')).trim() ?? ''
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(changesOf((process.argv[2] ?? '').replace(/^v/, '')))
