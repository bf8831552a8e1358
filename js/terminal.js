/** Text of strangers on a terminal. */

/** Everything that a terminal may obey instead of showing: control characters but tab and line feed, and changes of direction. */
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/**
 * The text with a visible sign for each character that a terminal would obey: what an agent prints can neither move the
 * cursor, nor change a title, nor fill the clipboard.
 *
 * @param {string} text
 */
export function visible(text) {
  return text.replace(obeyed, (character) => {
    const code = character.charCodeAt(0)
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    return code === 0x7f ? '\u2421' : `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
  })
}

/** The begin of a line that a reader would take for one of the adapter's own. */
const own = /^[^\S\n]*\[paperclip\]/gim

/**
 * Text inside of an event, in which no line can pass for one of the adapter: of whole lines the log itself says it.
 *
 * @param {string} text
 */
export function toldApart(text) {
  return text.replace(own, (begin) => `[container] ${begin}`)
}
