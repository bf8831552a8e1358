/**
 * Builds the native module.
 *
 *   node scripts/build-native.js [--debug]                     for this machine, beside `package.json`: the loader looks there first
 *   node scripts/build-native.js --publish [--platform NAME]   for a platform package, into `npm/NAME/`
 *   node scripts/build-native.js --try --platform NAME         the same, built and linked alike but hardly optimised, into `target/tried/NAME/`
 *
 * Needs cargo; `--publish` and `--try` for Linux needs cargo-zigbuild and zig, too (`pip install cargo-zigbuild ziglang`): linked
 * against this machine's glibc the module would not load on older systems. For another platform than this machine's
 * add its Rust target first: `rustup target add aarch64-unknown-linux-musl`. Touches `target/` and the file it names.
 */

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { platformName } from '../js/native/platform.js'
import { glibcFloor, judge, largestBytes, line } from './release/check.js'
import { binaryOf, targets, triedModules } from './release/platforms.js'

const root = fileURLToPath(new URL('..', import.meta.url))

const { values: options } = parseArgs({
  options: {
    debug: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    try: { type: 'boolean', default: false },
    platform: { type: 'string' },
  },
})
const forPackage = options.publish || options.try
const platform = options.platform ?? platformName()
const target = targets.get(platform)
if (options.platform && !forPackage) giveUp('`--platform` is for `--publish` and `--try`: another platform\'s module is of no use in a checkout.')
if (forPackage && !target) giveUp(`There is no package for \`${platform}\`; there are ${[...targets.keys()].join(', ')}.`)

const profile = options.try ? 'tried' : options.debug ? 'dev' : 'release'
console.log(`Building the native module for ${platform} (${profile} profile)${options.debug ? '' : '; this takes some minutes the first time'}`)
const build = forPackage && target ? publishedBuild(target) : { command: 'build', target: [], folder: '' }
// A debug build shares its dependencies with the tests and the simulator: same packages, same features.
const packages = options.debug ? ['--workspace', '--lib'] : ['--package', 'paperclip-adapter-claude-k8s']
cargo([build.command, '--locked', ...packages, '--profile', profile, ...build.target])
const built = join(targetDirectory(), build.folder, profile === 'dev' ? 'debug' : profile, libraryName())
const destination = forPackage ? binaryOf(platform, options.try ? triedModules : undefined) : join(root, `claude-k8s.${platform}.node`)
replace(built, destination)
console.log(`Wrote ${destination} (${(statSync(destination).size / 1_048_576).toFixed(1)} MiB)`)
if (forPackage) {
  const judgement = judge(platform, readFileSync(destination), options.try ? Infinity : largestBytes)
  console.log(line(judgement))
  if (judgement.faults.length > 0) process.exit(1)
}

/** @param {string} rustTarget */
function publishedBuild(rustTarget) {
  if (!platform.startsWith('linux')) return { command: 'build', target: ['--target', rustTarget], folder: rustTarget }
  const suffix = platform.endsWith('-gnu') ? `.${glibcFloor}` : ''
  return { command: 'zigbuild', target: ['--target', `${rustTarget}${suffix}`], folder: rustTarget }
}

/**
 * Renamed into place: overwriting a mapped file would crash a process that runs it (docs/internals/napi.md 7).
 * @param {string} from
 * @param {string} to
 */
function replace(from, to) {
  const temporary = `${to}.${process.pid}.tmp`
  mkdirSync(dirname(to), { recursive: true })
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
  if (error && 'code' in error && error.code === 'ENOENT') giveUp('cargo is missing: install Rust (https://rustup.rs) and run this again.')
  if (error) throw error
  if (status !== 0) {
    const zig = argv[0] === 'zigbuild' ? '`cargo zigbuild` failed; it comes with `pip install cargo-zigbuild ziglang`.' : ''
    giveUp(zig, status ?? 1)
  }
  return output ?? ''
}

/** musl links statically by default, which cannot make a shared library. */
function muslFlags() {
  if (!platform.endsWith('-musl')) return {}
  return { RUSTFLAGS: `${process.env['RUSTFLAGS'] ?? ''} -C target-feature=-crt-static`.trim() }
}

/**
 * @param {string} message
 * @param {number} [code]
 * @returns {never}
 */
function giveUp(message, code = 1) {
  if (message) console.error(message)
  process.exit(code)
}
