/**
 * Builds the native module and puts it beside `package.json`, where the loader looks first.
 *
 *   node scripts/build-native.js [--debug] [--target TRIPLE --platform NAME]
 *
 * Needs cargo. Touches `target/` and `claude-k8s.<platform>.node`. For another platform give its Rust target and its
 * name, for example `--target aarch64-unknown-linux-musl --platform linux-arm64-musl`.
 */

import { spawnSync } from 'node:child_process'
import { copyFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { platformName } from '../js/native/platform.js'

const root = fileURLToPath(new URL('..', import.meta.url))

const { values: options } = parseArgs({
  options: { debug: { type: 'boolean', default: false }, target: { type: 'string' }, platform: { type: 'string' } },
})
const platform = options.platform ?? platformName()
const profile = options.debug ? 'dev' : 'release'

console.log(`Building the native module for ${platform} (${profile} profile)${options.debug ? '' : '; this takes some minutes the first time'}`)
cargo(['build', '--package', 'paperclip-adapter-claude-k8s', '--profile', profile, ...(options.target ? ['--target', options.target] : [])])
const built = join(targetDirectory(), options.target ?? '', options.debug ? 'debug' : 'release', libraryName())
const destination = join(root, `claude-k8s.${platform}.node`)
replace(built, destination)
console.log(`Wrote ${destination} (${(statSync(destination).size / 1_048_576).toFixed(1)} MiB)`)

/**
 * Renamed into place: overwriting a mapped file would crash a process that runs it (docs/internals/napi.md 7).
 * @param {string} from
 * @param {string} to
 */
function replace(from, to) {
  const temporary = `${to}.${process.pid}.tmp`
  copyFileSync(from, temporary)
  renameSync(temporary, to)
}

function targetDirectory() {
  const metadata = cargo(['metadata', '--format-version', '1', '--no-deps'], 'pipe')
  return JSON.parse(metadata).target_directory
}

function libraryName() {
  return platform.startsWith('darwin') ? 'libpaperclip_adapter_claude_k8s.dylib' : 'libpaperclip_adapter_claude_k8s.so'
}

/**
 * @param {string[]} argv
 * @param {'inherit' | 'pipe'} stdout
 * @returns {string}
 */
function cargo(argv, stdout = 'inherit') {
  const { status, error, stdout: output } = spawnSync('cargo', argv, {
    cwd: root,
    env: { ...process.env, ...muslFlags() },
    encoding: 'utf8',
    maxBuffer: 64 * 1_048_576,
    stdio: ['ignore', stdout, 'inherit'],
  })
  if (error && 'code' in error && error.code === 'ENOENT') {
    console.error('cargo is missing: install Rust (https://rustup.rs) and run this again.')
    process.exit(1)
  }
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
  return output ?? ''
}

/** musl links statically by default, which cannot make a shared library. */
function muslFlags() {
  if (!platform.endsWith('-musl')) return {}
  return { RUSTFLAGS: `${process.env['RUSTFLAGS'] ?? ''} -C target-feature=-crt-static`.trim() }
}
