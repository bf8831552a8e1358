/** Linux libraries made to order: small enough to read, complete enough for `dlopen` to judge them. */

const machines = { x64: 62, arm64: 183 }

/** @param {number} type @param {number} value */
const dynamicEntry = (type, value) => words(type, value)

/** @param {number[]} values each as 64 bits */
function words(...values) {
  const bytes = Buffer.alloc(values.length * 8)
  values.forEach((value, index) => bytes.writeBigUInt64LE(BigInt(value), index * 8))
  return bytes
}

/** @param {number[]} values each as 32 bits */
function halves(...values) {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => bytes.writeUInt32LE(value, index * 4))
  return bytes
}

/** The hash that symbol versions are found by. @param {string} name */
function elfHash(name) {
  let hash = 0
  for (const character of Buffer.from(name)) {
    hash = ((hash << 4) + character) >>> 0
    const high = hash & 0xf0000000
    hash = ((hash ^ (high >>> 24)) & ~high) >>> 0
  }
  return hash
}

/** Names one after the other, and where each begins. @param {string[]} names */
function stringTable(names) {
  const at = names.map((_, index) => 1 + names.slice(0, index).reduce((sum, name) => sum + name.length + 1, 0))
  return { bytes: Buffer.from(`\0${names.map((name) => `${name}\0`).join('')}`), at }
}

/**
 * A shared library without code that needs one other library, in the given versions.
 * @param {{ arch?: string, needs?: string, versions?: string[] }} [library]
 */
export function elfLibrary({ arch = process.arch, needs = 'libc.so.6', versions = [] } = {}) {
  const strings = stringTable([needs, ...versions])
  const [needed = 0, ...versionNames] = strings.at

  const parts = /** @type {Array<[string, Buffer]>} */ ([
    ['symbols', Buffer.alloc(24)],
    ['hash', halves(1, 1, 0, 0)],
    ['symbolVersions', Buffer.alloc(8)],
    ['versions', neededVersions(needed, versions, versionNames)],
    ['strings', Buffer.concat([strings.bytes, Buffer.alloc(8 - (strings.bytes.length % 8))])],
  ])
  const dynamicCount = 6 + (versions.length > 0 ? 3 : 0) + 1
  const dynamicAt = 64 + 2 * 56
  let end = dynamicAt + dynamicCount * 16
  /** @type {Record<string, number>} */
  const at = {}
  for (const [name, bytes] of parts) {
    at[name] = end
    end += bytes.length
  }
  const { symbols = 0, hash = 0, symbolVersions = 0, versions: versionsAt = 0, strings: stringsAt = 0 } = at

  const dynamic = Buffer.concat([
    dynamicEntry(1, needed),
    dynamicEntry(4, hash),
    dynamicEntry(5, stringsAt),
    dynamicEntry(6, symbols),
    dynamicEntry(10, strings.bytes.length),
    dynamicEntry(11, 24),
    ...(versions.length > 0 ? [dynamicEntry(0x6ffffff0, symbolVersions), dynamicEntry(0x6ffffffe, versionsAt), dynamicEntry(0x6fffffff, 1)] : []),
    dynamicEntry(0, 0),
  ])
  const sections = [
    Buffer.alloc(64),
    Buffer.concat([halves(0, 3), words(0, stringsAt, stringsAt, strings.bytes.length), halves(0, 0), words(1, 0)]),
    ...(versions.length > 0
      ? [Buffer.concat([halves(0, 0x6ffffffe), words(0, versionsAt, versionsAt, 16 * (1 + versions.length)), halves(1, 1), words(8, 0)])]
      : []),
  ]
  return Buffer.concat([
    fileHeader(arch, end, sections.length),
    Buffer.concat([halves(1, 6), words(0, 0, 0, end, end, 4096)]),
    Buffer.concat([halves(2, 6), words(dynamicAt, dynamicAt, dynamicAt, dynamic.length, dynamic.length, 8)]),
    dynamic,
    ...parts.map(([, bytes]) => bytes),
    ...sections,
  ])
}

/** @param {string} arch @param {number} sectionsAt @param {number} sectionCount */
function fileHeader(arch, sectionsAt, sectionCount) {
  const machine = machines[/** @type {keyof typeof machines} */ (arch)] ?? 0
  const header = Buffer.alloc(64)
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(header)
  header.writeUInt16LE(3, 16)
  header.writeUInt16LE(machine, 18)
  header.writeUInt32LE(1, 20)
  words(0, 64, sectionsAt).copy(header, 24)
  for (const [index, value] of [64, 56, 2, 64, sectionCount, 0].entries()) header.writeUInt16LE(value, 52 + index * 2)
  return header
}

/**
 * One `Verneed` with a `Vernaux` for each version.
 * @param {number} file
 * @param {string[]} versions
 * @param {number[]} names
 */
function neededVersions(file, versions, names) {
  if (versions.length === 0) return Buffer.alloc(0)
  const head = Buffer.concat([Buffer.from([1, 0, versions.length, 0]), halves(file, 16, 0)])
  const entries = versions.map((version, index) =>
    Buffer.concat([halves(elfHash(version)), Buffer.from([0, 0, index + 2, 0]), halves(names[index] ?? 0, index + 1 < versions.length ? 16 : 0)]),
  )
  return Buffer.concat([head, ...entries])
}
