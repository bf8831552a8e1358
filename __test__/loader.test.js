import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { adapterVersion } from '../js/identity.js'
import { loadNative } from '../js/native/load.js'
import { platformName } from '../js/native/platform.js'
import { sharedState } from '../js/native/shared.js'
import { fromRoot } from './paths.js'
import { elfLibrary } from './support/elf.js'

const platform = platformName()
let root = ''

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'loader-'))
  write('package.json', '{}')
  delete sharedState().native
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
  vi.unstubAllEnvs()
})

/**
 * @param {string} path
 * @param {string | Buffer} content
 */
function write(path, content) {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), content)
  return join(root, path)
}

/** @param {string} version */
const fake = (version, abi = 1) => `exports.nativeVersion = () => '${version}'; exports.abi = () => ${abi}`

const packageOfPlatform = `paperclip-adapter-claude-k8s-${platform}`

/** Node opens a `.node` file itself, so a fake that is JavaScript goes where a package may have any `main`. */
const platformPackage = (/** @type {string} */ source, { name = packageOfPlatform, version = adapterVersion, at = 'node_modules' } = {}) => {
  const directory = `${at}/${packageOfPlatform}`
  write(`${directory}/package.json`, JSON.stringify({ name, version, main: 'addon.cjs' }))
  return write(`${directory}/addon.cjs`, source)
}

const load = () => loadNative(pathToFileURL(join(root, 'dist/index.js')).href)

/** A real shared library of this machine: the program that runs the test. */
const realElf = process.platform === 'linux' ? process.execPath : ''

test('the platform package is found, and one load serves every entry of the process', () => {
  platformPackage(fake(adapterVersion))
  const module = load()
  expect(module.nativeVersion()).toBe(adapterVersion)
  expect(loadNative('file:///somewhere/else/dist/server.js')).toBe(module)
})

test('pkg_08 a missing module is explained: platform, every place, each cause, what to do', () => {
  expect(load).toThrow(
    new RegExp(
      [
        `^The native module of \`paperclip-adapter-claude-k8s\` ${adapterVersion} could not be loaded on \`${platform}\` \\(Node v`,
        `\`${join(root, `dist/claude-k8s.${platform}.node`)}\`: no such file`,
        `\`${join(root, `claude-k8s.${platform}.node`)}\`: no such file`,
        `package \`paperclip-adapter-claude-k8s-${platform}\`: not found in any \`node_modules\` above`,
        'Reinstall the package without `--omit=optional`',
      ].join('.*'),
    ),
  )
})

test('pkg_03 a failed load is not remembered: a repaired installation works without a restart', () => {
  expect(load).toThrow()
  platformPackage(fake(adapterVersion))
  expect(load().abi()).toBe(1)
})

test.each([
  ['an empty file', () => Buffer.alloc(0), 'the file is cut off: 0 bytes'],
  ['text', () => Buffer.from('not found\n'.repeat(20)), ''],
])('pkg_03 %s in place of the module is an error text', (_, content, cause) => {
  write(`claude-k8s.${platform}.node`, content())
  expect(load).toThrow(cause || 'could not be loaded')
})

test.runIf(existsSync(realElf))('pkg_03 a cut-off library never reaches the loader, which would end the process', () => {
  const path = join(root, `claude-k8s.${platform}.node`)
  cpSync(realElf, path)
  truncateSync(path, 1_048_576)
  expect(load).toThrow(/the file is cut off: 1048576 of \d+ bytes/)
})

const linux = process.platform === 'linux'
const otherArch = process.arch === 'x64' ? 'arm64' : 'x64'

test.runIf(linux)('pkg_08 a library for another processor is named as such, not as a file that is missing', () => {
  write(`claude-k8s.${platform}.node`, elfLibrary({ arch: otherArch }))
  expect(load).toThrow(`\`${join(root, `claude-k8s.${platform}.node`)}\`: the file is built for ${otherArch}, this is ${process.arch}`)
})

test.runIf(linux).each([
  ['the other C library', { needs: platform.endsWith('musl') ? 'ld-linux-none.so.2' : 'libc.musl-none.so.1' }],
  ['a newer glibc', { versions: ['GLIBC_2.17', 'GLIBC_9.99'] }],
])('pkg_08 a library for %s is explained', (_, library) => {
  write(`claude-k8s.${platform}.node`, elfLibrary(library))
  expect(load).toThrow(/built for another C library, or a newer one, than this system has/)
})

test('pkg_03 an unusable file beside the entry gives way to the right package', () => {
  write(`dist/claude-k8s.${platform}.node`, 'stale')
  platformPackage(fake(adapterVersion))
  expect(load().nativeVersion()).toBe(adapterVersion)
})

test.each([
  ['version', fake('0.0.1')],
  ['abi', fake(adapterVersion, 99)],
])('pkg_04 a module with another %s is refused with both versions', (_, source) => {
  platformPackage(source)
  expect(load).toThrow(/is version .* \(abi \d+\), the package is version .* restart the server to finish the upgrade/)
})

test('pkg_04 new JavaScript meeting the module of a running process asks for a restart', () => {
  sharedState().native = { path: '/old/claude-k8s.node', module: /** @type {any} */ ({ nativeVersion: () => '0.1.9', abi: () => 1 }) }
  expect(load).toThrow(
    `The native module \`/old/claude-k8s.node\` of this process is version 0.1.9 (abi 1), the package is version ${adapterVersion} (abi 1): restart the server to finish the upgrade.`,
  )
})

test('a package that exports something else is refused', () => {
  platformPackage('module.exports = { hello: 1 }')
  expect(load).toThrow('is not the native module of this package')
})

test('the override replaces every other place', () => {
  platformPackage(fake('0.0.1'))
  vi.stubEnv('PAPERCLIP_CLAUDE_K8S_NATIVE', write('other.cjs', fake(adapterVersion)))
  expect(load().nativeVersion()).toBe(adapterVersion)
})

test.each([
  ['relative/path.node', 'is not an absolute path'],
  ['/does/not/exist.node', 'no such file'],
])('the override %s is refused: %s', (path, cause) => {
  platformPackage(fake(adapterVersion))
  vi.stubEnv('PAPERCLIP_CLAUDE_K8S_NATIVE', path)
  expect(load).toThrow(`\`PAPERCLIP_CLAUDE_K8S_NATIVE\` (\`${path}\`): ${cause}`)
})

test.each([
  ['name', { name: 'something-else' }, 'is not this package'],
  ['version', { version: '0.0.1' }, `is version 0.0.1, the package is version ${adapterVersion}`],
])('tru_27 a platform package with another %s is refused before its code is loaded', (_, manifest, cause) => {
  platformPackage(`require('node:fs').writeFileSync(${JSON.stringify(join(root, 'loaded'))}, '')\n${fake(adapterVersion)}`, manifest)
  expect(load).toThrow(cause)
  expect(existsSync(join(root, 'loaded'))).toBe(false)
})

test.each([
  ['NODE_PATH', 'elsewhere', { NODE_PATH: 'elsewhere' }],
  ['.node_modules of the home', 'home/.node_modules', { HOME: 'home' }],
  ['.node_libraries of the home', 'home/.node_libraries', { HOME: 'home' }],
])('tru_27 code that was planted in %s is not run', (_, at, variables) => {
  platformPackage(`require('node:fs').writeFileSync(${JSON.stringify(join(root, 'loaded'))}, '')\n${fake(adapterVersion)}`, { at })
  const environment = Object.fromEntries(Object.entries(variables).map(([name, path]) => [name, join(root, path)]))
  cpSync(fromRoot('dist'), join(root, 'dist'), { recursive: true })
  write('package.json', JSON.stringify({ type: 'module' }))
  const script = `
    import { execute } from ${JSON.stringify(pathToFileURL(join(root, 'dist/server.js')).href)}
    console.log((await execute({})).errorMessage)`
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8', env: { ...process.env, ...environment } })
  expect(child.stdout, child.stderr).toContain('not found in any `node_modules`')
  expect(existsSync(join(root, 'loaded'))).toBe(false)
})
