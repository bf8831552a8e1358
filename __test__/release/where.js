/** What `npm run release:test` installed, and the Node that it was installed with. */

import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { platformName } from '../../js/native/platform.js'

export const name = 'paperclip-adapter-claude-k8s'
export const directory = process.env['RELEASE_INSTALLED'] ?? ''
export const modules = join(directory, 'node_modules')
export const platform = process.env['RELEASE_PLATFORM'] ?? platformName()
/** Built to be tried, not to be published. */
export const isTried = process.env['RELEASE_TRIED'] === 'yes'

/** The program behind the package's command. */
export const commandLine = join(modules, name, 'dist/bin.js')

const program = process.env['RELEASE_NODE'] ?? process.execPath

/**
 * Runs that Node beside the installed packages and returns what it prints.
 * @param {string[]} args
 */
export const node = (...args) => execFileSync(program, args, { cwd: directory, encoding: 'utf8' }).trim()

/**
 * The same, while this process goes on: it is the API server.
 * @param {string[]} args
 */
export async function nodeAside(...args) {
  const { stdout } = await promisify(execFile)(program, args, { cwd: directory, encoding: 'utf8', maxBuffer: 16 * 1_048_576 })
  return stdout
}

/** The platform as that Node sees it, independently of the package. */
export function reportsItself() {
  const told = node('--print', 'const { header, sharedObjects } = process.report.getReport(); JSON.stringify([process.platform, process.arch, header.glibcVersionRuntime ?? null, sharedObjects])')
  const [system, processor, glibc, libraries] = JSON.parse(told)
  if (system !== 'linux') return `${system}-${processor}`
  const musl = libraries.some((/** @type {string} */ path) => /\/ld-musl-/.test(path))
  return `${system}-${processor}-${glibc ? 'gnu' : musl ? 'musl' : 'unknown'}`
}
