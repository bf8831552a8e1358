/** The promises of docs/internals/invariants.md and the tests that name them. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { fromRoot } from './paths.js'

const path = fromRoot('docs/internals/invariants.md')
const between = /(<!-- not yet proven: generated -->\n)([^]*?)(<!-- end of list -->)/

/** @param {string} folder @returns {string[]} */
const filesIn = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(folder, entry.name)) : [join(folder, entry.name)],
  )

/** The part of a file that holds tests; Rust keeps unit tests at its end. @param {string} file */
function testsOf(file) {
  const text = readFileSync(file, 'utf8')
  if (/\.test\.js$|\/tests\/.*\.rs$|\/tests\.rs$/.test(file)) return text
  return file.endsWith('.rs') ? text.split('#[cfg(test)]').slice(1).join() : ''
}

/** Ids in names (`log_01`) and in comments (`LOG-01`). */
const named = new Set(
  ['__test__', 'crates/core', 'crates/cluster', 'crates/testkit']
    .flatMap((folder) => filesIn(fromRoot(folder)))
    .filter((file) => !file.endsWith('/invariants.test.js'))
    .flatMap((file) => [...testsOf(file).matchAll(/\b(LOG|END|LIVE|GRD|POD|PRM|SES|CAN|RES|CFG|HST|ENV|PKG|TRU|FLD|HOS|PLT)[-_](\d\d)(?!\d)/gi)])
    .map(([, area = '', number]) => `${area.toUpperCase()}-${number}`),
)

const promised = [...readFileSync(path, 'utf8').matchAll(/^\| ([A-Z]+-\d\d) \| \S/gm)].map(([, id = '']) => id)

test('every promise has one row, and tests name only promises that exist', () => {
  expect(new Set(promised).size).toBe(promised.length)
  expect([...named].filter((id) => !promised.includes(id))).toEqual([])
})

test('a promise is named by a test or stands in the list of those that are not yet proven', () => {
  const open = promised.filter((id) => !named.has(id)).map((id) => `- ${id}`)
  if (process.env['UPDATE_DOCS']) {
    const list = open.length > 0 ? `${open.join('\n')}\n` : ''
    writeFileSync(path, readFileSync(path, 'utf8').replace(between, (_, start, __, end) => `${start}${list}${end}`))
  }
  const [, , written = ''] = between.exec(readFileSync(path, 'utf8')) ?? []
  expect(written.split('\n').filter(Boolean), 'run this test with UPDATE_DOCS=1').toEqual(open)
})
