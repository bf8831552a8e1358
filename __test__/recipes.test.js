/** The recipes of CONTRIBUTING: in how many files a key, a code and a callback stand that exist. And where a code must stand. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import { expect, test } from 'vitest'

import { fromRoot } from './paths.js'

/** What a recipe does not count: tests, what is built or generated, and the list of changes. */
const notCounted = new Set(['node_modules', 'target', 'dist', '.git', '__test__', 'tests', 'tests.rs', 'CHANGELOG.md', 'README.md'])

/** @param {string} folder @returns {string[]} */
const filesIn = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (notCounted.has(entry.name)) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesIn(path) : [path]
  })

const root = fromRoot('.')
const texts = filesIn(root)
  .filter((path) => /\.(rs|js|cjs|cts|ts|md)$/.test(path))
  .map((path) => ({ path: relative(root, path), text: readFileSync(path, 'utf8') }))

test.each([
  ['a configuration key', /strictMcpConfig|strict_mcp_config|STRICT_MCP_CONFIG/, 6],
  ['an error code', /k8s_node_lost/, 3],
  ['a host callback', /onNotice|on_notice/, 4],
])('%s stands in as few files as its recipe says', (_, name, most) => {
  const files = texts.filter(({ text }) => name.test(text)).map(({ path }) => path)
  expect(files.length, files.join('\n')).toBeGreaterThan(1)
  expect(files.length, files.join('\n')).toBeLessThanOrEqual(most)
})

test('every error code of the README has its section of the troubleshooting page, in the same order and with the same meaning', () => {
  const rows = [...readFileSync(fromRoot('README.md'), 'utf8').matchAll(/^\| `([a-z0-9_]+)` \| (.+?) \| .+ \|$/gm)]
  const listed = rows.map(([, code]) => code)
  const page = readFileSync(fromRoot('docs/troubleshooting.md'), 'utf8')
  const sections = [...page.matchAll(/^### `([a-z0-9_]+)`\n\n- \*\*Meaning:\*\* (.+)$/gm)]
  expect(listed.length).toBeGreaterThan(30)
  expect(sections.map(([, code]) => code)).toEqual(listed)
  const meanings = new Map(rows.map(([, code, meaning]) => [code, meaning]))
  const differing = sections.filter(([, code, meaning = '']) => !meaning.startsWith(meanings.get(code) ?? '-')).map(([, code]) => code)
  expect(differing).toEqual([])
})
