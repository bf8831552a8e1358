/**
 * `npm run release:check`: are the native modules in `npm/` fit to be published? Prints a table, fails on a fault.
 *
 * Reads `npm/<platform>/*.node`; `npm run release:build` or `npm run release:artifacts` put them there. With
 * `-- --all` a platform without one is a fault, too.
 */

import { existsSync, readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

import { compareVersions, newestGlibc } from './glibc.js'
import { binaryOf, targets } from './platforms.js'

/** A server downloads it with every version. */
export const largestBytes = 12_000_000

/** What the official builds of Node need: where they run, the module must run. */
export const glibcFloor = '2.28'

/**
 * @param {string} platform
 * @param {Buffer} module
 * @param {number} [largest] unit: bytes; a module that is only tried is hardly optimised, and nobody downloads it
 */
export function judge(platform, module, largest = largestBytes) {
  const glibc = platform.startsWith('linux') ? newestGlibc(module) : null
  const faults = []
  if (module.length > largest) faults.push(`it is larger than ${largest.toLocaleString('en')} bytes`)
  if (glibc !== null && platform.endsWith('-musl')) faults.push('it needs glibc, which a musl system has not')
  if (glibc !== null && compareVersions(glibc, glibcFloor) > 0) faults.push(`it needs glibc ${glibc}; ${glibcFloor} must do`)
  return { platform, bytes: module.length, glibc, faults }
}

/** @param {ReturnType<typeof judge>} judgement */
export function line({ platform, bytes, glibc, faults }) {
  const facts = `${platform.padEnd(17)} ${bytes.toLocaleString('en').padStart(10)} bytes  ${glibc === null ? '' : `glibc ${glibc}`}`
  return `${facts.trimEnd()}${faults.map((fault) => `\n  fault: ${fault}`).join('')}`
}

function main() {
  const platforms = [...targets.keys()].sort()
  const built = platforms.filter((platform) => existsSync(binaryOf(platform)))
  const judgements = built.map((platform) => judge(platform, readFileSync(binaryOf(platform))))
  for (const judgement of judgements) console.log(line(judgement))
  const missing = platforms.filter((platform) => !built.includes(platform))
  if (missing.length > 0) console.log(`not built: ${missing.join(', ')}`)
  const incomplete = process.argv.includes('--all') ? missing.length > 0 : built.length === 0
  if (incomplete) console.error('Native modules are missing: run `npm run release:build`, or `npm run release:artifacts` after a download.')
  process.exitCode = incomplete || judgements.some(({ faults }) => faults.length > 0) ? 1 : 0
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
