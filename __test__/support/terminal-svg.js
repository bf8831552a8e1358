/**
 * What a terminal shows, as an SVG that is readable on light and dark pages. Lines appear one after the other; where a
 * reader wants no motion, or a viewer knows none, all of them stand there at once.
 */

const [lineHeight, charWidth, padding, bar] = [18, 7.83, 16, 30]

/** Select Graphic Rendition: the few that the commands use. @type {Record<string, string>} */
const classes = { 1: 'b', 2: 'd', 31: 'r', 32: 'g', 33: 'y', 34: 'l', 36: 'c', 90: 'd' }

const style = `.t{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#e6edf3;white-space:pre}
.d{fill:#9198a1}.r{fill:#ff7b72}.g{fill:#56d364}.y{fill:#e3b341}.l{fill:#79c0ff}.c{fill:#76e3ea}.b{font-weight:600}
@media(prefers-reduced-motion:no-preference){.a{animation:w var(--s) steps(1)}@keyframes w{from{opacity:0}to{opacity:0}}}`

/**
 * @param {{ text: string, at: number }[]} lines with their colours as a terminal gets them, and when they appear, in seconds
 * @param {number} columns
 */
export function terminalSvg(lines, columns) {
  const [width, height] = [Math.ceil(columns * charWidth) + 2 * padding, bar + lines.length * lineHeight + padding]
  const spans = painter()
  const drawn = lines.map(({ text, at }, index) => {
    const y = bar + (index + 1) * lineHeight - 4
    return `<text class="t a" style="--s:${at.toFixed(1)}s" x="${padding}" y="${y}">${spans(text)}</text>`
  })
  const lights = ['#ff5f57', '#febc2e', '#28c840'].map((color, index) => `<circle cx="${18 + index * 18}" cy="16" r="5.5" fill="${color}"/>`)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<style>${style}</style>`,
    // A frame of its own, so that it stands out on a dark page, too.
    `<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8" fill="#161b22" stroke="#6e7681"/>`,
    ...lights,
    ...drawn,
    '</svg>',
    '',
  ].join('\n')
}

/** A colour lasts until the next one, over the end of a line, too. */
function painter() {
  let colour = ''
  return (/** @type {string} */ text) =>
    text
      .split(/\u001b\[([\d;]*)m/)
      .map((part, index) => {
        if (index % 2 === 1) {
          colour = classes[part] ?? ''
          return ''
        }
        const safe = part.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
        return part === '' || colour === '' ? safe : `<tspan class="${colour}">${safe}</tspan>`
      })
      .join('')
}
