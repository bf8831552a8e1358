/**
 * `npm run bench -- --plot`: draws the tables of BENCHMARKS.md that stand below `<!-- plot NAME: bars -->` or
 * `<!-- plot NAME: lines -->` as `docs/bench/NAME.svg`. The tables are the data: edit one, draw again.
 *
 * A table's first column names the rows; for lines it is the number below the axis. A cell that is no number is left out.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {object} Plot
 * @property {string} name of the file
 * @property {'bars' | 'lines'} kind
 * @property {string[]} head
 * @property {string[][]} rows
 */

const folder = fileURLToPath(new URL('..', import.meta.url))
const width = 720
/** Of the text to the left of bars, and of the axis. */
const left = 16
const style = `text{font:13px system-ui,sans-serif;fill:#1f2328}.dim{fill:#59636e}.axis{stroke:#59636e;fill:none}
.s0{fill:#0969da;stroke:#0969da}.s1{fill:#bc4c00;stroke:#bc4c00}.s2{fill:#8250df;stroke:#8250df}.s3{fill:#59636e;stroke:#59636e}.line{fill:none;stroke-width:2}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}.axis{stroke:#9198a1}.s0{fill:#4493f8;stroke:#4493f8}.s1{fill:#f0883e;stroke:#f0883e}.s2{fill:#ab7df8;stroke:#ab7df8}.s3{fill:#9198a1;stroke:#9198a1}.line{fill:none}}`

/** @param {string} markdown @returns {Plot[]} */
export function plotsIn(markdown) {
  return [...markdown.matchAll(/<!-- plot ([\w-]+): (bars|lines) -->\n+([^]*?)<!-- end -->/g)].map(([, name = '', kind, body = '']) => {
    const lines = body.split('\n').filter((line) => line.startsWith('|'))
    const [head = [], , ...rows] = lines.map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
    if (rows.length === 0) throw new Error(`BENCHMARKS.md: there is no table below \`<!-- plot ${name}: … -->\`.`)
    return { name, kind: kind === 'bars' ? 'bars' : 'lines', head, rows }
  })
}

/** @param {Plot} plot @returns {string} an SVG */
export const draw = (plot) => (plot.kind === 'bars' ? drawBars(plot) : drawLines(plot))

/** Rows with units of their own: each has its own scale, and says its figures. @param {Plot} plot */
function drawBars({ head, rows }) {
  const longest = width - left - 260
  let y = 8
  const parts = rows.flatMap(([label = '', ...cells]) => {
    const figures = head.slice(1).map((name, index) => ({ name, index, text: cells[index] ?? '', value: numberOf(cells[index]) })).filter(({ value }) => value !== null)
    const most = Math.max(...figures.map(({ value }) => value ?? 0), Number.MIN_VALUE)
    const drawn = [`<text x="${left}" y="${(y += 20)}">${escaped(label)}</text>`]
    for (const { name, index, text, value } of figures) {
      const length = Math.max(1, ((value ?? 0) / most) * longest)
      drawn.push(
        `<rect class="s${index % 4}" x="${left}" y="${(y += 8)}" width="${length.toFixed(1)}" height="14" rx="2"/>`,
        `<text x="${(left + length + 8).toFixed(1)}" y="${(y += 11)}">${escaped(text)} <tspan class="dim">${escaped(name)}</tspan></text>`,
      )
    }
    y += 8
    return drawn
  })
  return svg(y + 8, parts)
}

/** One line per column over the number in the first. @param {Plot} plot */
function drawLines({ head, rows }) {
  const [top, bottom, height] = [36, 250, 300]
  const [from, to] = [left + 40, width - 130]
  const series = head.slice(1).map((name, index) => ({
    name,
    index,
    points: rows.flatMap((cells) => {
      const [x, y] = [numberOf(cells[0]), numberOf(cells[index + 1])]
      return x === null || y === null ? [] : [{ x, y }]
    }),
  })).filter(({ points }) => points.length > 0)
  const all = series.flatMap(({ points }) => points)
  const [mostX, mostY] = [Math.max(...all.map(({ x }) => x), 1), Math.max(...all.map(({ y }) => y), 1) * 1.05]
  const at = (/** @type {{ x: number, y: number }} */ { x, y }) =>
    [from + (x / mostX) * (to - from), bottom - (Math.max(0, y) / mostY) * (bottom - top)].map((part) => part.toFixed(1))
  const marks = [...new Set(all.map(({ x }) => x))]
  return svg(height, [
    `<path class="axis" d="M${from} ${top}V${bottom}H${to}"/>`,
    `<text class="dim" x="${to}" y="${bottom + 40}" text-anchor="end">${escaped(head[0] ?? '')}</text>`,
    ...marks.map((x) => `<text class="dim" x="${at({ x, y: 0 })[0]}" y="${bottom + 18}" text-anchor="middle">${x}</text>`),
    ...ticks(mostY).map((y) => `<text class="dim" x="${from - 6}" y="${Number(at({ x: 0, y })[1]) + 4}" text-anchor="end">${y}</text>`),
    ...series.flatMap(({ name, index, points }) => {
      const [lastX = 0, lastY = 0] = at(points.at(-1) ?? { x: 0, y: 0 }).map(Number)
      return [
        `<path class="line s${index % 4}" d="M${points.map((point) => at(point).join(' ')).join('L')}"/>`,
        ...points.map((point) => `<circle class="s${index % 4}" cx="${at(point)[0]}" cy="${at(point)[1]}" r="3"><title>${point.x}: ${point.y}</title></circle>`),
        `<text x="${lastX + 9}" y="${lastY + 4}">${escaped(name)} <tspan class="dim">${points.at(-1)?.y}</tspan></text>`,
      ]
    }),
  ])
}

/** Whole steps of the axis. @param {number} most */
function ticks(most) {
  const step = [1, 2, 5].flatMap((digit) => [0, 1, 2, 3, 4, 5].map((power) => digit * 10 ** power)).sort((one, other) => one - other).find((step) => most / step <= 5) ?? most
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step)
}

/** @param {number} height @param {string[]} parts */
const svg = (height, parts) =>
  [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`, `<style>${style}</style>`, ...parts, '</svg>', ''].join('\n')

/** The first number in a cell: `58`, `1,037`, `15.8 s`. @param {string | undefined} cell */
function numberOf(cell = '') {
  const [found] = /\d[\d,]*(?:\.\d+)?/.exec(cell) ?? []
  return found === undefined ? null : Number(found.replaceAll(',', ''))
}

/** @param {string} text */
const escaped = (text) => text.replaceAll('`', '').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Every plot, and the file it belongs into. */
export function plots() {
  return plotsIn(readFileSync(join(folder, 'BENCHMARKS.md'), 'utf8')).map((plot) => ({ file: join(folder, 'docs/bench', `${plot.name}.svg`), text: draw(plot) }))
}

export function writePlots() {
  mkdirSync(join(folder, 'docs/bench'), { recursive: true })
  for (const { file, text } of plots()) {
    writeFileSync(file, text)
    console.log(file)
  }
}
