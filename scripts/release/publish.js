/**
 * `npm run release:publish`: publishes the tarballs of `target/packages/` with provenance, platform packages first, so
 * that the main package never names one that does not exist. Only for the release workflow: provenance is a statement
 * of GitHub. A package whose version exists already is passed over, so a publication that broke off can be repeated.
 * A version with a hyphen goes to the tag `next`.
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { manifest, targets } from './platforms.js'

const folder = fileURLToPath(new URL('../../target/packages', import.meta.url))
const { name: main, version } = manifest
const names = [...[...targets.keys()].sort().map((platform) => `${main}-${platform}`), main]

const absent = names.filter((name) => !existsSync(tarball(name)))
if (absent.length > 0) giveUp(`There is no tarball of ${absent.join(', ')}: run \`npm run release:pack -- --all\`.`)
for (const name of names) {
  if (npm('view', `${name}@${version}`, 'version').stdout.trim() === version) console.log(`${name} ${version} is published already`)
  else publish(name)
}

/** @param {string} name */
function publish(name) {
  const { status, stderr } = npm('publish', tarball(name), '--provenance', '--access', 'public', '--tag', version.includes('-') ? 'next' : 'latest')
  if (status !== 0) giveUp(`${name} could not be published:\n${stderr}`)
  console.log(`${name} ${version} is published`)
}

/** @param {string} name */
function tarball(name) {
  return join(folder, `${name}-${version}.tgz`)
}

/** @param {string[]} args */
function npm(...args) {
  return spawnSync('npm', args, { encoding: 'utf8' })
}

/**
 * @param {string} message
 * @returns {never}
 */
function giveUp(message) {
  console.error(message)
  process.exit(1)
}
