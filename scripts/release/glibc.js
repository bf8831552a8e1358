/** Which glibc a Linux library asks for, read from the symbol versions in its file. */

const neededVersions = 0x6ffffffe // SHT_GNU_verneed

/** Versions that stand for an ability of the loader instead of a release, and the release that has it. */
const abilities = new Map([['GLIBC_ABI_DT_RELR', '2.36']])

/**
 * The newest version of glibc that a symbol of the library needs, like `2.28`; `null` when it needs none.
 * @param {Buffer} library a 64-bit little-endian ELF file
 */
export function newestGlibc(library) {
  const numbers = symbolVersions(library)
    .flatMap((name) => abilities.get(name) ?? /^GLIBC_(\d+(?:\.\d+)*)$/.exec(name)?.[1] ?? [])
    .sort(compareVersions)
  return numbers.at(-1) ?? null
}

/**
 * @param {string} one
 * @param {string} other
 */
export function compareVersions(one, other) {
  const [first, second] = [one, other].map((text) => text.split('.').map(Number))
  for (let index = 0; index < Math.max(first?.length ?? 0, second?.length ?? 0); index += 1) {
    const difference = (first?.[index] ?? 0) - (second?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/**
 * @param {Buffer} library
 * @returns {string[]} `GLIBC_2.17`, `GCC_3.0` …
 */
function symbolVersions(library) {
  if (library.toString('latin1', 0, 4) !== '\x7fELF' || library[4] !== 2 || library[5] !== 1) throw new Error('not a 64-bit little-endian ELF file')
  const sections = sectionsOf(library)
  return sections.filter(({ type }) => type === neededVersions).flatMap((section) => {
    const strings = sections[section.link]?.at ?? 0
    return [...entries(library, section)].map((name) => textAt(library, strings + name))
  })
}

/** @param {Buffer} library */
function sectionsOf(library) {
  const start = Number(library.readBigUInt64LE(40))
  const [size, count] = [library.readUInt16LE(58), library.readUInt16LE(60)]
  return Array.from({ length: count }, (_, index) => {
    const header = start + index * size
    return {
      type: library.readUInt32LE(header + 4),
      at: Number(library.readBigUInt64LE(header + 24)),
      link: library.readUInt32LE(header + 40),
      files: library.readUInt32LE(header + 44),
    }
  })
}

/**
 * The name offsets of all versions: a chain of files, each with a chain of versions.
 * @param {Buffer} library
 * @param {{ at: number, files: number }} section
 */
function* entries(library, { at, files }) {
  for (let file = at, left = files; left > 0; left -= 1) {
    let version = file + library.readUInt32LE(file + 8)
    for (let versions = library.readUInt16LE(file + 2); versions > 0; versions -= 1) {
      yield library.readUInt32LE(version + 8)
      version += library.readUInt32LE(version + 12)
    }
    file += library.readUInt32LE(file + 12)
  }
}

/** @param {Buffer} library @param {number} at */
const textAt = (library, at) => library.toString('latin1', at, library.indexOf(0, at))
