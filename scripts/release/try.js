/**
 * `npm run release:try [-- PLATFORM...]`: builds the native module of other platforms, installs its tarballs with a Node of each
 * platform, and passes a run through what was installed, on the simulator. Without names: every platform that has a
 * recipe (`foreign-node.js`).
 *
 * The modules are linked like those that are published and hardly optimised, so that all of it takes minutes. Needs Linux
 * x64 with Debian's tools, cargo-zigbuild and zig (`pip install cargo-zigbuild ziglang`). Fetches what else it needs into a
 * cache outside of the checkout. Touches `target/`.
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { foreignNode, foreignPlatforms } from './foreign-node.js'
import { targets } from './platforms.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const wanted = process.argv.slice(2)
const platforms = wanted.length > 0 ? wanted : foreignPlatforms

try {
  needsZig()
  for (const platform of platforms) {
    timed(`Node of ${platform}`, () => console.log(foreignNode(platform)))
    timed(`Rust's standard library of ${platform}`, () => addTarget(targets.get(platform) ?? ''))
  }
  for (const platform of platforms) timed(`native module of ${platform}`, () => script('build-native.js', '--try', '--platform', platform))
  timed('tarballs', () => script('release/pack.js', '--tried'))
  for (const platform of platforms) timed(`tests on ${platform}`, () => script('release/test.js', '--tried', '--runs', '--platform', platform))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

function needsZig() {
  for (const command of [['cargo-zigbuild', '--version'], ['python3', '-m', 'ziglang', 'version']]) {
    const [program = '', ...args] = command
    if (spawnSync(program, args).status !== 0) throw new Error(`\`${command.join(' ')}\` failed: \`pip install cargo-zigbuild ziglang\` brings both.`)
  }
}

/** @param {string} target */
function addTarget(target) {
  const { stdout = '' } = spawnSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' })
  if (stdout && existsSync(join(stdout.trim(), 'lib/rustlib', target, 'lib'))) return
  const { status } = spawnSync('rustup', ['target', 'add', target], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`Rust's standard library for \`${target}\` is missing: \`rustup target add ${target}\` must succeed (https://rustup.rs).`)
}

/**
 * @param {string} path below `scripts/`
 * @param {string[]} args
 */
function script(path, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', path), ...args], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`\`${path} ${args.join(' ')}\` failed; its output is above.`)
}

/**
 * @param {string} what
 * @param {() => void} work
 */
function timed(what, work) {
  const start = Date.now()
  console.log(`▸ ${what}`)
  work()
  console.log(`  ${Math.round((Date.now() - start) / 1000)} s`)
}
