/** Opens one candidate for the native module, and says in its own words why that failed. */

import { messageOf } from '../json.js'
import { assertFitsElf } from './elf.js'

/** How the loaders of glibc and musl name what a library asks of the other one, or of a newer glibc. */
const cLibrary = /\bGLIBC_[\d.]+' not found|\b(?:libc\.musl|ld-musl|ld-linux)\S*|\blibc\.so\.6\b/

/**
 * @param {string} path
 * @param {NodeJS.Require} require
 * @returns {import('../types.d.ts').NativeModule}
 */
export function open(path, require) {
  if (path.endsWith('.node')) assertFitsElf(path)
  try {
    return require(path)
  } catch (error) {
    const cause = firstLine(error)
    throw new Error(cLibrary.test(cause) ? `${cause}: it is built for another C library, or a newer one, than this system has` : cause)
  }
}

/**
 * Node appends a "Require stack" that names only this file.
 * @param {unknown} error
 */
export function firstLine(error) {
  return messageOf(error).split('\n', 1)[0] ?? ''
}
