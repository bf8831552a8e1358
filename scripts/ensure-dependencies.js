/**
 * Installs the development dependencies when they are missing or older than the lock file, so that every task of
 * `package.json` works in a fresh checkout. Touches `node_modules/` only.
 */

import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** @param {string} path */
const modified = (path) => statSync(`${root}${path}`, { throwIfNoEntry: false })?.mtimeMs ?? 0

if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  console.log('Installing the development dependencies (npm ci)')
  const { status, error } = spawnSync('npm', ['ci'], { cwd: root, stdio: 'inherit' })
  if (error) throw error
  process.exitCode = status ?? 1
}
