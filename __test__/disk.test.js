/** TRU-04: the disk of the host is touched in one place. The native module has it; JavaScript reads what is listed here. */

import { readdirSync, readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { fromRoot } from './paths.js'

/** Files of `js/` that may use the disk, and what for. */
const mayUseTheDisk = {
  'bin/files.js': 'the terminal command reads the files that its user names',
  'bin/logs.js': 'the terminal command writes the page that its user names',
  'bin/operation.js': 'is there a kubeconfig in the home of the user of the terminal?',
  'host/process.js': 'the identity of the machine',
  'host/utilities.js': "finds the host's own helper package",
  'host/version.js': "the version of the host's own helper package",
  'native/elf.js': 'which C library the native module needs',
  'native/load.js': 'finds the native module',
  'native/platform.js': 'which C library the machine has',
  'skills/list.js': 'the names of skills in the home, for the page of the agent; no content',
}

test('TRU-04: no file of js/ uses the disk but those with a reason', () => {
  const files = readdirSync(fromRoot('js'), { recursive: true, encoding: 'utf8' }).filter((name) => /\.c?js$/.test(name))
  const usesTheDisk = (/** @type {string} */ name) =>
    /['"](node:)?(fs|fs\/promises|child_process)['"]|process\.(binding|getBuiltinModule)/.test(readFileSync(fromRoot(`js/${name}`), 'utf8'))
  expect(files.length).toBeGreaterThan(20)
  expect(files.filter(usesTheDisk).sort()).toEqual(Object.keys(mayUseTheDisk))
})
