/** What a script needs before it starts: tools, packages, builds. Only Node's own modules, because nothing may be installed yet. */

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

/**
 * Ends the process with one line.
 * @param {string} line
 * @returns {never}
 */
export function giveUp(line) {
  console.error(line)
  process.exit(1)
}

/**
 * @param {string} program
 * @param {string[]} args
 */
export const runCommand = (program, args) => execFileSync(program, args, { cwd: root, encoding: 'utf8' }).trim()

/**
 * Runs one step with its output visible.
 * @param {string} what
 * @param {string} program
 * @param {string[]} args
 */
function step(what, program, args) {
  console.error(`▸ ${what}: ${program} ${args.join(' ')}`)
  const { status } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 'inherit'] })
  if (status !== 0) giveUp(`\`${program} ${args.join(' ')}\` failed; its output is above.`)
}

/** @param {string} version @param {string} wanted both like `1.89` or `20.19.2` */
function isAtLeast(version, wanted) {
  const [numbers, least] = [version, wanted].map((text) => text.split('.').map(Number))
  for (const [index, part] of (least ?? []).entries()) {
    const difference = (numbers?.[index] ?? 0) - part
    if (difference !== 0) return difference > 0
  }
  return true
}

function checkTools() {
  const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const node = engines.node.replace(/[^\d.]/g, '')
  if (!isAtLeast(process.versions.node, node)) giveUp(`Node ${node} or newer is needed; this is ${process.versions.node}. See https://nodejs.org.`)
  const rust = /rust-version = "([\d.]+)"/.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))?.[1] ?? '1'
  const found = spawnSync('cargo', ['--version'], { encoding: 'utf8' })
  if (found.error) giveUp(`Cargo, with Rust ${rust} or newer, is needed to build the native module. Install it from https://rustup.rs.`)
  const version = /cargo ([\d.]+)/.exec(found.stdout)?.[1] ?? '0'
  if (!isAtLeast(version, rust)) giveUp(`Rust ${rust} or newer is needed; this is ${version}. Run \`rustup update\`.`)
}

/**
 * @param {object} what
 * @param {'build' | 'build:debug'} what.build
 * @param {boolean} what.simulator
 */
export function prepare({ build, simulator }) {
  checkTools()
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) step('installing packages', 'npm', ['ci', '--silent'])
  step('building the package (minutes the first time)', 'npm', ['run', '--silent', build])
  if (simulator) step('building the simulator', 'npm', ['run', '--silent', 'build:simulator'])
}
