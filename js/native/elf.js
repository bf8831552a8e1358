/**
 * What can be read off a Linux library before `dlopen` sees it. A cut-off one maps fine and then kills the process with
 * SIGBUS, and one for another processor is "No such file or directory".
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

const headerBytes = 64

/** `e_machine` of the processors that a package is published for, by Node's name. Others are left to the loader. */
const machines = new Map([
  ['x64', 62],
  ['arm64', 183],
])

/**
 * Throws when a 64-bit little-endian ELF file is for another processor or ends before its section headers do. Other
 * formats are left to the loader.
 * @param {string} path
 */
export function assertFitsElf(path) {
  const file = openSync(path, 'r')
  try {
    const header = Buffer.alloc(headerBytes)
    const read = readSync(file, header, 0, headerBytes, 0)
    if (read < headerBytes) throw new Error(`the file is cut off: ${read} bytes`)
    const isElf64 = header.toString('latin1', 0, 4) === '\x7fELF' && header[4] === 2 && header[5] === 1
    if (!isElf64) return
    assertMachine(header.readUInt16LE(18))
    const end = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60)
    const { size } = fstatSync(file)
    if (size < end) throw new Error(`the file is cut off: ${size} of ${end} bytes`)
  } finally {
    closeSync(file)
  }
}

/** @param {number} machine */
function assertMachine(machine) {
  const own = machines.get(process.arch)
  if (own === undefined || own === machine) return
  const [builtFor = `machine ${machine}`] = [...machines].find(([, number]) => number === machine) ?? []
  throw new Error(`the file is built for ${builtFor}, this is ${process.arch}`)
}
