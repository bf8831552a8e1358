/** What makes a native module fit to be published: `npm run release:check` and `npm run release:build` refuse others. */

import { expect, test } from 'vitest'

import { platforms } from '../js/native/platform.js'
import { changesOf } from '../scripts/release/changelog.js'
import { glibcFloor, judge, largestBytes, line } from '../scripts/release/check.js'
import { compareVersions, newestGlibc } from '../scripts/release/glibc.js'
import { manifest, targets } from '../scripts/release/platforms.js'
import { elfLibrary } from './support/elf.js'

test('every target of the manifest has a platform that the loader knows, and the other way round', () => {
  expect([...targets.keys()].sort()).toEqual(platforms)
  expect(targets.get('linux-arm64-musl')).toBe('aarch64-unknown-linux-musl')
  expect(targets.get('darwin-x64')).toBe('x86_64-apple-darwin')
})

test.each([
  [[], null],
  [['GLIBC_2.2.5'], '2.2.5'],
  [['GLIBC_2.9', 'GLIBC_2.28', 'GCC_4.2.0', 'GLIBC_2.3.4', 'GLIBC_PRIVATE'], '2.28'],
  [['GLIBC_2.17', 'GLIBC_ABI_DT_RELR'], '2.36'],
])('a library with symbols of %j needs glibc %s', (versions, newest) => {
  expect(newestGlibc(elfLibrary({ versions }))).toBe(newest)
})

test('versions are compared by number, not as text', () => {
  const sorted = ['2.28', '2.3', '2.2.5', '2.30', '2.2'].sort(compareVersions)
  expect(sorted).toEqual(['2.2', '2.2.5', '2.3', '2.28', '2.30'])
})

test('a file that is no library is refused', () => {
  expect(() => newestGlibc(Buffer.from('not found\n'.repeat(20)))).toThrow('not a 64-bit little-endian ELF file')
})

test.each([
  ['linux-x64-gnu', elfLibrary({ versions: [`GLIBC_${glibcFloor}`] }), []],
  ['linux-x64-gnu', elfLibrary({ versions: ['GLIBC_2.29'] }), ['it needs glibc 2.29; 2.28 must do']],
  ['linux-arm64-musl', elfLibrary({ needs: 'libc.so' }), []],
  ['linux-arm64-musl', elfLibrary({ versions: ['GLIBC_2.17'] }), ['it needs glibc, which a musl system has not']],
  ['darwin-arm64', Buffer.alloc(largestBytes), []],
  ['darwin-arm64', Buffer.alloc(largestBytes + 1), ['it is larger than 12,000,000 bytes']],
])('a module for %s is judged by size and C library', (platform, module, faults) => {
  const judgement = judge(platform, module)
  expect(judgement.faults).toEqual(faults)
  for (const fault of faults) expect(line(judgement)).toContain(`fault: ${fault}`)
})

test('the changelog has the notes of this version, and none of one that does not exist', () => {
  expect(changesOf(manifest.version)).toMatch(/^\S/)
  expect(changesOf(manifest.version)).not.toContain('\n## ')
  expect(changesOf('0.0.0')).toBe('')
})
