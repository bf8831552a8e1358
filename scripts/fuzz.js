/**
 * `npm run fuzz`: looks for inputs that break what `fuzz/checks` checks. Begins with `fuzz/seeds`, keeps what it finds in
 * `fuzz/corpus` and an input that fails in `fuzz/artifacts`.
 *
 * Needs a nightly Rust toolchain and cargo-fuzz; touches only `fuzz/`.
 */

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { giveUp, root } from './prepare.js'

const targets = readdirSync(join(root, 'fuzz/fuzz_targets')).map((file) => file.replace('.rs', ''))
const help = `usage: npm run fuzz -- [--runs N] [--max-len BYTES] [TARGET...]
  TARGET           ${targets.join(', ')} [all]
  --runs N         executions of each [100000]
  --max-len BYTES  longest input [512]`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '100000' },
    'max-len': { type: 'string', default: '512' },
    help: { type: 'boolean' },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}
const unknown = positionals.filter((name) => !targets.includes(name))
if (unknown.length > 0) giveUp(`No target \`${unknown.join('`, `')}\`; there are ${targets.join(', ')}.`)
if (spawnSync('cargo', ['+nightly', 'fuzz', '--version']).status !== 0) {
  giveUp('Fuzzing needs a nightly toolchain and cargo-fuzz: `rustup toolchain install nightly && cargo install cargo-fuzz`.')
}

/** @type {string[]} */
const done = []
for (const target of positionals.length > 0 ? positionals : targets) {
  const corpus = `fuzz/corpus/${target}`
  mkdirSync(join(root, corpus), { recursive: true })
  // Nothing here is unsafe code, so the address sanitizer would only cost time.
  const args = ['+nightly', 'fuzz', 'run', '--sanitizer', 'none', target, corpus, `fuzz/seeds/${target}`]
  const limits = [`-runs=${values.runs}`, `-max_len=${values['max-len']}`, '-print_final_stats=1']
  const { status, stderr } = spawnSync('cargo', [...args, '--', ...limits], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) {
    console.error(stderr.split('\n').slice(-60).join('\n'))
    giveUp(`\`${target}\` failed; the input is in \`fuzz/artifacts/${target}\`.`)
  }
  const executions = /number_of_executed_units: (\d+)/.exec(stderr)?.[1] ?? '?'
  done.push(`${target.padEnd(12)} ${executions.padStart(12)} executions, no failure`)
}
console.log(done.join('\n'))
