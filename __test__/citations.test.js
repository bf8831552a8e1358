/** Comments cite measured facts by page and number: what they name exists, and nothing outside the repository is named. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import { expect, test } from 'vitest'

import { fromRoot } from './paths.js'

const notOurs = new Set(['node_modules', 'target', 'dist', '.git', 'fixtures', 'snapshots'])

/** @param {string} folder @returns {string[]} */
const filesIn = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesIn(path) : [path]
  })

const root = fromRoot('.')
const texts = filesIn(root)
  .filter((path) => /\.(rs|js|cjs|cts|ts|toml|ya?ml|md)$/.test(path) && !path.endsWith('citations.test.js'))
  .map((path) => ({ path: relative(root, path), text: readFileSync(path, 'utf8') }))

/** `kubernetes.md 1.5` for each numbered heading. */
const facts = new Set(
  ['kubernetes', 'claude', 'host', 'napi'].flatMap((page) =>
    [...readFileSync(fromRoot(`docs/internals/${page}.md`), 'utf8').matchAll(/^##+ ([\d.]*\d)/gm)].map(([, number]) => `${page}.md ${number}`),
  ),
)

test('every cited fact is written down', () => {
  const cited = texts.flatMap(({ path, text }) =>
    [...text.matchAll(/(?:docs\/internals\/|\()([a-z]+\.md)`? (\d[\d.]*\d|\d)(?: (?:to|and) (\d[\d.]*\d|\d))?/g)].flatMap(([, page, first, last]) =>
      [first, last].filter(Boolean).map((number) => ({ path, fact: `${page} ${number}` })),
    ),
  )
  expect(cited.length).toBeGreaterThan(20)
  expect(cited.filter(({ fact }) => !facts.has(fact))).toEqual([])
})

test('no comment cites a number without its page', () => {
  const bare = /^.*(?:\/\/|^ ?\*).*\((?:facts? |outcomes |F)?\d+(?:\.\d+)+(?:, case \d)?\).*$/gm
  const code = texts.filter(({ path }) => /\.(rs|js)$/.test(path))
  expect(code.flatMap(({ path, text }) => [...text.matchAll(bare)].map(([found]) => `${path}: ${found.trim()}`))).toEqual([])
})

test('no comment sends its reader to notes that are not in the repository', () => {
  const elsewhere = /\bfacts(?:\/|: )[a-z]+\.md|\bspec\/[a-z]+\.md|`(?:job|config|outcomes|package|design|style)\.md`/g
  expect(texts.flatMap(({ path, text }) => [...text.matchAll(elsewhere)].map(([found]) => `${path}: ${found}`))).toEqual([])
})

test('every row of the decision table is told on its page, in the same order and with codes that exist', () => {
  const table = readFileSync(fromRoot('crates/core/src/outcome/table.rs'), 'utf8')
  const inCode = [...table.matchAll(/^    \w+, +\/\/ (\d+[a-z]?)(?:-(\d+))?/gm)].flatMap(([, first = '', last]) =>
    last ? Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => String(Number(first) + index)) : [first],
  )
  const page = readFileSync(fromRoot('docs/internals/outcomes.md'), 'utf8')
  const rows = [...page.matchAll(/^\| (\d+[a-z]?) \| .*? \| (.*?) \|/gm)]
  expect(rows.map(([, row]) => row)).toEqual([...inCode, '28'])
  const codes = readFileSync(fromRoot('README.md'), 'utf8') + readFileSync(fromRoot('docs/troubleshooting.md'), 'utf8')
  const named = rows.flatMap(([, , verdict = '']) => [...verdict.matchAll(/`(\w+)`/g)].map(([, code = '']) => code))
  expect(named.filter((code) => !codes.includes(`\`${code}\``))).toEqual([])
})
