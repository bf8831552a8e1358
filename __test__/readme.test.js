/** What README.md repeats from elsewhere is compared with its source. */

import { readFileSync, writeFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { loadNative } from '../js/native/load.js'
import { fromRoot } from './paths.js'

const path = fromRoot('README.md')

/** @param {{ code: string, meaning: string, next: string }[]} rows */
const table = (rows) =>
  ['| `errorCode` | meaning | next step |', '|---|---|---|', ...rows.map(({ code, meaning, next }) => `| \`${code}\` | ${meaning} | ${next} |`)].join('\n')

test('README has every error code with its meaning and next step', () => {
  const expected = table(JSON.parse(loadNative().errorCodesJson()))
  const between = /(<!-- error codes: .*? -->\n)([^]*?)(<!-- end of error codes -->)/
  if (process.env['UPDATE_DOCS']) {
    const updated = readFileSync(path, 'utf8').replace(between, (_, start, __, end) => `${start}${expected}\n${end}`)
    writeFileSync(path, updated)
  }
  const [, , written = ''] = between.exec(readFileSync(path, 'utf8')) ?? []
  expect(written.trim(), 'run this test with UPDATE_DOCS=1').toBe(expected)
})
