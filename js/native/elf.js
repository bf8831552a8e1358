/** A cut-off shared library maps fine and then kills the process with SIGBUS, so it must never reach `dlopen`. */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const headerBytes = 64

/**
 * Throws when a 64-bit little-endian ELF file ends before its section headers do. Other formats are left to the loader.
 * @param {string} path
 */
export function assertCompleteElf(path) {
  const file = openSync(path, 'r')
  try {
    const header = Buffer.alloc(headerBytes)
    const read = readSync(file, header, 0, headerBytes, 0)
    if (read < headerBytes) throw new Error(`the file is cut off: ${read} bytes`)
    const isElf64 = header.toString('latin1', 0, 4) === '\x7fELF' && header[4] === 2 && header[5] === 1
    if (!isElf64) return
    const end = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60)
    const { size } = fstatSync(file)
    if (size < end) throw new Error(`the file is cut off: ${size} of ${end} bytes`)
  } finally {
    closeSync(file)
  }
}
