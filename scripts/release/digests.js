/**
 * Digests of what one job of the release workflow hands to the next, so that what is published is what was built.
 *
 *   node scripts/release/digests.js --output NAME FILE...   prints `NAME={"file":"sha256", ...}` for `$GITHUB_OUTPUT`
 *   node scripts/release/digests.js --check FOLDER          compares every file below the folder with `$DIGESTS`
 *
 * `$DIGESTS` is the JSON object of the job's outputs; each value is what `--output` printed behind the `=`. Files are known by
 * their names without a folder. A file that is missing, changed, or not named there is an error.
 */

import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * @param {string[]} files
 * @returns {Record<string, string>} file name → SHA-256 in hexadecimal
 */
export function digestsOf(files) {
  return Object.fromEntries(files.map((file) => [basename(file), createHash('sha256').update(readFileSync(file)).digest('hex')]))
}

/**
 * @param {Record<string, string>} expected
 * @param {Record<string, string>} found
 * @returns {string[]} what is wrong, a sentence each
 */
export function differences(expected, found) {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort()
  return names.flatMap((name) => {
    if (expected[name] === found[name]) return []
    if (!found[name]) return [`${name} is missing.`]
    return [expected[name] ? `${name} is not the file that was made: its digest is ${found[name]}.` : `${name} was made by no earlier job.`]
  })
}

/** @param {string} outputs the value of `$DIGESTS` */
export function expectedDigests(outputs) {
  const values = Object.values(JSON.parse(outputs))
  return Object.assign({}, ...values.map((value) => JSON.parse(value)))
}

/** @param {string[]} args */
function main([mode, name, ...files]) {
  if (mode === '--output' && name && files.length > 0) return console.log(`${name}=${JSON.stringify(digestsOf(files))}`)
  if (mode !== '--check' || !name) throw new Error('usage: digests.js --output NAME FILE... | --check FOLDER')
  const expected = expectedDigests(process.env.DIGESTS ?? '{}')
  const present = readdirSync(name, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const wrong = differences(expected, digestsOf(present.map((entry) => join(entry.parentPath, entry.name))))
  for (const text of wrong) console.error(text)
  if (wrong.length > 0 || present.length === 0) process.exit(1)
  console.log(`${present.length} files are the ones that were made`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.slice(2))
