/**
 * `npm run lint:workflows`: actionlint and zizmor over `.github/`. Finds errors in workflows, and what would let a stranger
 * take part in a build that is published.
 *
 * Needs zizmor on the PATH: `pipx install zizmor`, or `cargo install zizmor --locked`. Touches nothing and asks no network.
 */

import { spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { createLinter } from 'actionlint'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, '.github/workflows')

const files = readdirSync(folder)
/** @type {import('actionlint').LintResult[]} */
const findings = []
for (const file of files) {
  // One linter a file: its memory does not last for two.
  const lint = await createLinter()
  const found = lint(readFileSync(join(folder, file), 'utf8'), join('.github/workflows', file))
  // It knows the machines of the day it was published; new ones come every year.
  findings.push(...found.filter(({ kind }) => kind !== 'runner-label'))
}
for (const { file, line, column, message, kind } of findings) console.error(`${file}:${line}:${column}: ${message} [${kind}]`)

const zizmor = spawnSync('zizmor', ['--offline', '--persona', 'regular', '.github'], { cwd: root, stdio: 'inherit' })
if (zizmor.error) {
  console.error('zizmor is missing: `pipx install zizmor`, or `cargo install zizmor --locked`.')
  process.exit(1)
}
if (findings.length > 0 || zizmor.status !== 0) process.exit(1)
console.log(`${files.length} workflows: actionlint found nothing, too`)
