/** The plots of BENCHMARKS.md are drawn from its tables. */

import { existsSync, readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { draw, plots, plotsIn } from '../scripts/plot.js'
import { fromRoot } from './paths.js'

test('every plot of BENCHMARKS.md is what its table says', () => {
  const report = readFileSync(fromRoot('BENCHMARKS.md'), 'utf8')
  const drawn = plots()
  expect(drawn.length).toBeGreaterThanOrEqual(3)
  for (const { file, text } of drawn) {
    expect(existsSync(file) && readFileSync(file, 'utf8'), `${file}: draw it with \`npm run bench -- --plot\``).toBe(text)
    expect(report).toContain(`](docs/bench/${file.split(/[\\/]/).at(-1)})`)
  }
})

test('a bar is as long as its figure says, beside the figure as it was written; what is no number is left out', () => {
  const [plot] = plotsIn('<!-- plot a: bars -->\n| what | old | `new` | gone |\n|---|---|---|---|\n| a < b | 1,000 | 250 s | – |\n<!-- end -->')
  const text = draw(/** @type {any} */ (plot))
  const widths = [...text.matchAll(/<rect class="s\d" [^>]*width="([\d.]+)"/g)].map(([, length]) => Number(length))
  expect(widths).toHaveLength(2)
  expect((widths[0] ?? 0) / (widths[1] ?? 1)).toBeCloseTo(4, 1)
  for (const said of ['a &lt; b', '>1,000 <', '>250 s <', '>new<']) expect(text).toContain(said)
})

test('a line has a point for each row that has a figure', () => {
  const [plot] = plotsIn('<!-- plot a: lines -->\n| MiB | old | new |\n|---|---|---|\n| 0 | 0 | 0 |\n| 10 | 30 | 1.5 |\n| 20 | – | 1.5 |\n<!-- end -->')
  const points = [...draw(/** @type {any} */ (plot)).matchAll(/<circle class="(s\d)" [^>]*><title>([^<]+)/g)].map(([, series, figures]) => `${series} ${figures}`)
  expect(points).toEqual(['s0 0: 0', 's0 10: 30', 's1 0: 0', 's1 10: 1.5', 's1 20: 1.5'])
})
