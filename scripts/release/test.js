/**
 * `npm run release:test`: installs the tarballs of `target/packages/` from the files alone, as a server without a
 * network would, and tests what was installed. With `-- --runs` it also passes whole runs through the installed package
 * on the simulator, which needs Rust. Touches `target/packages/installed/`.
 *
 *   npm run release:test -- --tried --platform linux-x64-musl   the tarballs of `npm run release:try`, with a Node of that platform
 */

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { platformName } from '../../js/native/platform.js'
import { foreignNode, npmFolder } from './foreign-node.js'
import { manifest, triedModules } from './platforms.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { values: options } = parseArgs({
  options: { runs: { type: 'boolean', default: false }, tried: { type: 'boolean', default: false }, platform: { type: 'string', default: platformName() } },
})
const { platform } = options
const isForeign = platform !== platformName()
const node = isForeign ? foreignNode(platform) : process.execPath
const packages = options.tried ? join(triedModules, 'packages') : join(root, 'target/packages')
const installed = join(packages, 'installed')
const runs = ['run', 'host-callbacks', 'cancel']

const tarballs = [manifest.name, `${manifest.name}-${platform}`].map((name) => join(packages, `${name}-${manifest.version}.tgz`))
for (const path of tarballs) if (!existsSync(path)) giveUp(`\`${path}\` is missing: run \`npm run release:build\` and \`npm run release:pack\`.`)

rmSync(installed, { recursive: true, force: true })
mkdirSync(installed, { recursive: true })
writeFileSync(join(installed, 'package.json'), '{ "private": true }\n')
// With the Node that will load it: which platform package fits is npm's decision about the Node that it runs in.
execFileSync(node, [join(npmFolder(), 'bin/npm-cli.js'), 'install', '--offline', '--silent', ...tarballs], { cwd: installed, stdio: 'inherit' })

const where = { RELEASE_INSTALLED: installed, RELEASE_PLATFORM: platform, RELEASE_NODE: node, RELEASE_TRIED: options.tried ? 'yes' : '' }
if (options.runs) {
  const status = spawnSync('npm', ['run', '--silent', 'build:simulator'], { cwd: root, stdio: 'inherit' }).status
  if (status !== 0) giveUp('The simulator could not be built.')
}
vitest(['--config', '__test__/release/vitest.config.js', ...(options.runs ? [] : ['installed'])], where)
// A suite runs in the Node that runs vitest.
if (options.runs && !isForeign) {
  vitest(runs.map((name) => `__test__/${name}.test.js`), { K8S_TEST_PACKAGE: join(installed, 'node_modules', manifest.name, 'dist/server.js') })
}

/**
 * @param {string[]} args
 * @param {Record<string, string>} env
 */
function vitest(args, env) {
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}

/**
 * @param {string} message
 * @returns {never}
 */
function giveUp(message) {
  console.error(message)
  process.exit(1)
}
