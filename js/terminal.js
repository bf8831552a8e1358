/** Text of strangers on a terminal. */

/**
 * Everything that a terminal may obey instead of showing: control characters but tab and line feed, changes of direction, and
 * characters that annotate others.
 */
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u206f\ufff9-\ufffb]/g
/** What takes no place, which a sentence may need and a name does not. */
const unseen = /\p{Cf}/gu
/** Of a value nobody reads more on one line. Kubernetes bounds names; annotations and messages go to 256 KiB and beyond. */
const longestLine = 4000

/**
 * The text with a visible sign for each character that a terminal would obey: what an agent prints can neither move the
 * cursor, nor change a title, nor fill the clipboard.
 *
 * @param {string} text
 */
export function visible(text) {
  return text.replace(obeyed, sign)
}

/**
 * A text as a whole: for a program as it is, for a person with visible signs.
 *
 * @param {string} text
 */
export function asShown(text) {
  return process.stdout.isTTY ? visible(text) : text
}

/**
 * A value inside of a line of ours: it can neither begin another line, nor reach by spaces to where one would begin, nor hide
 * a part of itself.
 *
 * @param {string} text
 * @param {number} [longest] UTF-16 units
 */
export function inLine(text, longest = longestLine) {
  // What follows is in proportion to what is shown.
  const shown = visible(text.slice(0, 8 * longest).replace(/[\s\u0085]+/g, ' ').trim()).replace(unseen, sign)
  if (shown.length <= longest && text.length <= 8 * longest) return shown
  return `${shown.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/**
 * Several lines below one of ours, none of which can pass for one of ours.
 *
 * @param {string} text
 */
export function below(text) {
  return visible(text.trim()).replace(/\n\s*/g, '\n    ')
}

/**
 * JSON with escapes for what JSON itself leaves as it is: a program reads the same values.
 *
 * @param {unknown} value
 * @param {number} [indent]
 */
export function jsonText(value, indent) {
  return JSON.stringify(value, null, indent).replace(obeyed, (character) => `\\u${hexadecimal(character)}`)
}

/** The begin of a line that a reader would take for one of the adapter's own, whatever takes no place in between. */
const own = new RegExp(`^[\\s\\p{Cc}\\p{Cf}]*${[...'paperclip'].reduce((all, letter) => `${all}[\\p{Cc}\\p{Cf}]*${letter}`, '\\[')}[\\p{Cc}\\p{Cf}]*\\]`, 'iu')

/**
 * Text inside of an event, in which no line can pass for one of the adapter: of whole lines the log itself says it.
 *
 * @param {string} text
 */
export function toldApart(text) {
  const lines = text.split('\n')
  return lines.map((line) => (own.test(line) ? `[container] ${line}` : line)).join('\n')
}

/** @param {string} character */
function sign(character) {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  return code === 0x7f ? '\u2421' : `<U+${hexadecimal(character)}>`
}

/** @param {string} character */
function hexadecimal(character) {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
}
