import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test } from 'vitest'

import * as realUtilities from '@paperclipai/adapter-utils/server-utils'
import { builtInUtilities } from '../js/host/built-in.js'
import { loadHostUtilities } from '../js/host/utilities.js'
import { fromRoot } from './paths.js'

// A new place per test: Node keeps what it imported from a path.
let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'host-utilities-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/**
 * @param {string} path
 * @param {string} text
 */
function write(path, text) {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), text)
  return join(root, path)
}

/**
 * A helper package that renders every template to its own name.
 * @param {string} at directory that contains `node_modules`
 * @param {string} name
 */
function helperPackage(at, name) {
  const directory = `${at}/node_modules/@paperclipai/adapter-utils`
  write(`${directory}/package.json`, JSON.stringify({ type: 'module', exports: { './*': { import: './lib/*.js' } } }))
  write(`${directory}/lib/server-utils.js`, `export const renderTemplate = () => ${JSON.stringify(name)}`)
}

/** @param {Awaited<ReturnType<typeof loadHostUtilities>>} utilities */
const whose = (utilities) => utilities.renderTemplate('own', {})

test('pkg_06 every name of the current host is used, and ours has the same kind', async () => {
  const utilities = await loadHostUtilities(import.meta.filename)
  const { buildSkillLibraryManifestMarkdown, ...fromServerUtils } = utilities
  for (const [name, value] of Object.entries(fromServerUtils)) expect(value, name).toBe(Reflect.get(realUtilities, name))
  expect(buildSkillLibraryManifestMarkdown).not.toBe(builtInUtilities.buildSkillLibraryManifestMarkdown)
})

test('pkg_06 a host older than our range lacks most names, and gets ours for them', async () => {
  mkdirSync(join(root, 'node_modules/@paperclipai'), { recursive: true })
  symlinkSync(fromRoot('node_modules/adapter-utils-oldest'), join(root, 'node_modules/@paperclipai/adapter-utils'))
  const utilities = await loadHostUtilities(write('server.js', ''))
  expect(utilities.renderPaperclipWakePrompt).toBe(builtInUtilities.renderPaperclipWakePrompt)
  expect(utilities.renderTemplate).not.toBe(builtInUtilities.renderTemplate)
  expect(utilities.renderTemplate('{{a.b}}', { a: { b: 1 } })).toBe('1')
  expect(Object.keys(utilities)).toEqual(Object.keys(builtInUtilities))
})

test('a helper package that the running server does not see is not loaded', async () => {
  helperPackage('host', 'host')
  helperPackage('own', 'own')
  const host = write('host/server.js', '')
  expect(whose(await loadHostUtilities(host))).toBe('host')
  for (const unknown of [join(root, 'gone/server.js'), write('elsewhere.js', '')]) {
    expect(await loadHostUtilities(unknown)).toEqual(builtInUtilities)
  }
})

test('a linked program is followed to where it really lives', async () => {
  helperPackage('store/server', 'store')
  write('store/server/index.js', '')
  mkdirSync(join(root, 'bin'))
  symlinkSync(join(root, 'store/server/index.js'), join(root, 'bin/paperclip'))
  expect(whose(await loadHostUtilities(join(root, 'bin/paperclip')))).toBe('store')
})

test('a program that only depends on the server finds the server’s helper', async () => {
  helperPackage('app/node_modules/@paperclipai/server', 'behind the server')
  write('app/node_modules/@paperclipai/server/package.json', '{}')
  expect(whose(await loadHostUtilities(write('app/cli.js', '')))).toBe('behind the server')
})

test.each([
  ['no helper package', () => {}],
  ['a broken manifest', () => write('node_modules/@paperclipai/adapter-utils/package.json', '{')],
  [
    'a module that throws',
    () => {
      write('node_modules/@paperclipai/adapter-utils/package.json', JSON.stringify({ type: 'module' }))
      write('node_modules/@paperclipai/adapter-utils/dist/server-utils.js', 'throw new Error("x")')
    },
  ],
])('with %s everything is ours', async (_, prepare) => {
  prepare()
  expect(await loadHostUtilities(write('server.js', ''))).toEqual(builtInUtilities)
})

test('our equivalents agree with the host on what they share', () => {
  const wakes = [null, {}, { reason: 'source_scoped_recovery_action', issue: { id: 'i' } }, { recovery: { cause: 'process_lost' } }, { reason: 'x', issue: { id: 'i' } }]
  for (const wake of wakes) {
    expect(builtInUtilities.isPaperclipRecoveryWakePayload(wake)).toBe(realUtilities.isPaperclipRecoveryWakePayload(wake))
    expect(builtInUtilities.stringifyPaperclipWakePayload(wake) === null).toBe(realUtilities.stringifyPaperclipWakePayload(wake) === null)
  }
  const available = ['a/b/one', 'a/b/two', 'c/d/two'].map((key) => ({ key, runtimeName: `dir-${key.slice(-3)}`, source: '/s' }))
  const wish = (/** @type {unknown[]} */ ...desiredSkills) => ({ paperclipSkillSync: { desiredSkills } })
  for (const config of [{}, wish(), wish('A/B/One', 'one', 'two', ' ', 7), wish({ key: 'dir-one' }, { key: 'gone/x' }, 'Dir-Two')]) {
    expect(builtInUtilities.resolvePaperclipDesiredSkillNames(config, available)).toEqual(realUtilities.resolvePaperclipDesiredSkillNames(config, available))
  }
  const data = { a: { b: 1, c: null, d: [1], e: 'x' } }
  for (const template of ['{{a.b}}', '{{ a.c }}{{a.d}}{{a.e.f}}', '{{a}}{{missing.path}}', '{{not closed', '{{a b}}']) {
    expect(builtInUtilities.renderTemplate(template, data)).toBe(realUtilities.renderTemplate(template, data))
  }
})
