/** Which native module fits this process. */

import { readFileSync } from 'node:fs'

/** The platforms a package is published for, as in `napi.targets` of `package.json`. */
export const platforms = [
  'darwin-arm64',
  'darwin-x64',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'linux-x64-gnu',
  'linux-x64-musl',
]

/** `linux-x64-gnu`, `darwin-arm64` …, also for platforms without a package. */
export function platformName() {
  const { platform, arch } = process
  return platform === 'linux' ? `linux-${arch}-${isMusl() ? 'musl' : 'gnu'}` : `${platform}-${arch}`
}

/** `process.report` would know too, but it resolves every network interface first: seconds on some hosts. */
function isMusl() {
  try {
    return readFileSync('/usr/bin/ldd', 'latin1').includes('musl')
  } catch {
    return false // images without `ldd` are stripped-down glibc images; Alpine always has it
  }
}
