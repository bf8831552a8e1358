/** The page of `logs --html`: what an agent prints is text in it, and nothing else. */

import { expect, test } from 'vitest'

import { transcriptPage } from '../js/bin/html.js'
import { onScreen } from '../js/bin/ps.js'
import { duration, table } from '../js/bin/table.js'

const hostile = '</pre><script>alert(1)</script><img src=x onerror=alert(1)>"\'&'
const lines = [
  { type: 'system', subtype: 'init', model: hostile, session_id: hostile },
  { type: 'assistant', message: { content: [{ type: 'text', text: hostile }, { type: 'thinking', thinking: hostile }] } },
  { type: 'assistant', message: { content: [{ type: 'tool_use', id: 'a', name: hostile, input: { [hostile]: hostile } }] } },
  { type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 'a', content: hostile, is_error: true }] } },
  { type: 'result', subtype: 'success', is_error: false, result: hostile, errors: [hostile], usage: { input_tokens: hostile } },
]

test('a hostile transcript is shown whole, and no tag, attribute or address of it is alive', () => {
  const page = transcriptPage(hostile, [...lines.map((line) => JSON.stringify(line)), hostile].join('\n'), hostile)
  const ours = ['html', 'head', 'meta', 'title', 'style', 'body', 'h1', 'article', 'b', 'pre', 'details', 'summary', 'table', 'tr', 'td']
  const tags = [...page.matchAll(/<\/?([a-z][^\s>/]*)([^>]*)>/gi)]
  expect(tags.map(([, name]) => name).filter((name) => !ours.includes(name ?? ''))).toEqual([])
  expect(tags.map(([, , attributes = '']) => attributes.trim()).filter((text) => /\bon\w+=|src=|href=|style=/i.test(text))).toEqual([])
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
  expect(page.match(/&lt;script&gt;alert\(1\)&lt;\/script&gt;/g)?.length).toBeGreaterThanOrEqual(10)
})

test('an age has two units at most', () => {
  expect([0, 59, 60, 61, 3_600, 3_661, 86_400, 90_000, 172_800].map(duration)).toEqual(['0s', '59s', '1m', '1m1s', '1h', '1h1m', '1d', '1d1h', '2d'])
})

test('a table shows control characters of an agent as signs and keeps its columns', () => {
  const rows = [{ name: 'a\u001b[2J\nb' }, { name: null }]
  const lines = table([{ title: 'NAME', value: ({ name }) => name }, { title: 'X', value: () => 1 }], rows).split('\n')
  expect(lines.slice(1)).toEqual(['a\u241b[2J b   1', '-         1'])
})

test('a table that is longer than the terminal is cut at its end, and says so', () => {
  const lines = ['TITLE', ...Array.from({ length: 30 }, (_, index) => `row ${index}`)]
  expect(onScreen(lines.join('\n'), 32)).toBe(lines.join('\n'))
  const shown = onScreen(lines.join('\n'), 31).split('\n')
  expect(shown).toEqual([...lines.slice(0, 29), '… and 2 more; `ps` lists all'])
  expect(onScreen(lines.join('\n'), 1).split('\n')[0]).toBe('TITLE')
})
