import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { platforms } from '../js/native/platform.js'
import { fromRoot } from './paths.js'

/** @param {string} path */
const json = (path) => JSON.parse(readFileSync(fromRoot(path), 'utf8'))
const manifest = json('package.json')

/** @type {Record<string, string>} */
const bundles = { '.': 'dist/index.js', './server': 'dist/server.js', './cli': 'dist/cli.js' }

/**
 * Runs a program in a fresh Node and returns what it prints.
 * @param {string} program
 * @param {string} [directory]
 */
function node(program, directory = tmpdir()) {
  return execFileSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: directory, encoding: 'utf8' }).trim()
}

/** The package as npm would publish it, unpacked into an empty directory. */
let installed = ''
/** @type {string[]} */
let packedFiles = []

beforeAll(() => {
  installed = mkdtempSync(join(tmpdir(), 'package-'))
  const packed = JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', installed], { cwd: fromRoot('.'), encoding: 'utf8', stdio: 'pipe' }))
  packedFiles = packed[0].files.map((/** @type {{ path: string }} */ file) => file.path)
  execFileSync('tar', ['-xzf', packed[0].filename], { cwd: installed })
}, 180_000)
afterAll(() => rmSync(installed, { recursive: true, force: true }))

test('the manifest names existing files, and the members that the host reads', () => {
  for (const { types, default: file } of Object.values(manifest.exports)) {
    expect(existsSync(fromRoot(types)), types).toBe(true)
    expect(existsSync(fromRoot(file)), file).toBe(true)
  }
  expect(manifest).toMatchObject({
    name: 'paperclip-adapter-claude-k8s',
    type: 'module',
    license: 'MIT',
    paperclip: { adapterUiParser: '1.0.0' },
    exports: { './ui-parser': { default: expect.stringMatching(/\.cjs$/) } },
    peerDependencies: { '@paperclipai/adapter-utils': '>=2026.416.0' },
    engines: { node: '>=20' },
  })
  expect(manifest).not.toHaveProperty('dependencies')
})

test('pkg_09 the npm package, the crates and the platform packages have one version', () => {
  const [, crates] = /\[workspace\.package\]\nversion = "([^"]+)"/.exec(readFileSync(fromRoot('Cargo.toml'), 'utf8')) ?? []
  expect(crates).toBe(manifest.version)
  expect(readdirSync(fromRoot('npm')).sort()).toEqual(platforms)
  for (const platform of platforms) {
    const [os, cpu, libc] = platform.split('-')
    const file = `claude-k8s.${platform}.node`
    expect(json(`npm/${platform}/package.json`)).toMatchObject({
      name: `paperclip-adapter-claude-k8s-${platform}`,
      version: manifest.version,
      main: file,
      files: [file],
      os: [os],
      cpu: [cpu],
      ...(libc && { libc: [libc === 'gnu' ? 'glibc' : libc] }),
    })
  }
})

test('pkg_05 the tarball has the bundles, the types and nothing else', () => {
  expect(packedFiles.sort()).toEqual([
    'LICENSE',
    ...(packedFiles.includes('README.md') ? ['README.md'] : []),
    'as/claude_local/index.js',
    'as/claude_local/package.json',
    'cli.d.ts',
    'dist/bin.js',
    'dist/cli.js',
    'dist/index.js',
    'dist/server.js',
    'dist/ui-parser.cjs',
    'index.d.ts',
    'package.json',
    'server.d.ts',
    'ui-parser.d.cts',
  ])
})

test('pkg_02 each bundle is one file: only modules of Node are imported, and nothing that the host loads imports the parser', () => {
  for (const file of [...Object.values(bundles), 'dist/bin.js']) {
    const text = readFileSync(fromRoot(file), 'utf8')
    const imported = [...text.matchAll(/^\s*(?:import|export)\b[^'"\n]*\bfrom\s*["']([^"']+)["']|^import ["']([^"']+)["']/gm)].map(([, a, b]) => a ?? b)
    expect(imported.filter((name = '') => !builtinModules.includes(name.replace(/^node:/, '')))).toEqual([])
    if (file !== 'dist/bin.js') expect(text).not.toContain('ui-parser')
  }
  expect(readFileSync(fromRoot('dist/ui-parser.cjs'), 'utf8')).toBe(readFileSync(fromRoot('js/ui-parser.cjs'), 'utf8'))
})

test('pkg_02 the published package imports from an empty directory, in every order', () => {
  const files = [...Object.values(bundles), 'dist/ui-parser.cjs'].map((file) => pathToFileURL(join(installed, 'package', file)).href)
  for (let first = 0; first < files.length; first += 1) {
    const order = [...files.slice(first), ...files.slice(0, first)]
    const program = `const keys = []; for (const file of ${JSON.stringify(order)}) keys.push(Object.keys(await import(file)).length > 0); console.log(keys.join())`
    expect(node(program, installed)).toBe('true,true,true,true')
  }
})

test('the entries export what is documented and no more', () => {
  const list = (/** @type {string} */ entry) =>
    node(`console.log(Object.keys(await import(${JSON.stringify(pathToFileURL(join(installed, 'package', bundles[entry] ?? '')).href)})).sort().join(' '))`)
  expect(list('.')).toBe('agentConfigurationDoc createServerAdapter label models printClaudeStreamEvent type')
  expect(list('./server')).toBe('createServerAdapter execute sessionCodec testEnvironment')
  expect(list('./cli')).toBe('printClaudeStreamEvent')
})

test('hst_07 importing and registering change nothing in the process, and it ends by itself', () => {
  const program = `
    const facts = () => JSON.stringify([
      process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
      process.env,
      Object.getOwnPropertySymbols(globalThis).map(String),
      Object.keys(globalThis),
    ])
    const before = facts()
    for (const file of ${JSON.stringify(Object.values(bundles).map((file) => pathToFileURL(fromRoot(file)).href))}) {
      (await import(file)).createServerAdapter?.().getConfigSchema()
    }
    console.log(facts() === before)`
  expect(node(program)).toBe('true')
})

test('pkg_03 the published package without a native module answers every call', () => {
  const program = `
    import { execute, testEnvironment } from ${JSON.stringify(pathToFileURL(join(installed, 'package/dist/server.js')).href)}
    const run = await execute({ runId: 'r', agent: { id: 'a', companyId: 'c' }, runtime: {}, config: {}, context: {}, onLog: async () => {} })
    const { checks } = await testEnvironment({ adapterType: 'claude_k8s', companyId: 'c', config: {} })
    console.log(run.errorCode, checks.map((check) => check.code).join())`
  expect(node(program, installed)).toBe('adapter_engine_unavailable k8s_native_module_unavailable')
})

test('pkg_04 two entries and a reloaded one share the native module', () => {
  const [index, server] = ['dist/index.js', 'dist/server.js'].map((file) => pathToFileURL(fromRoot(file)).href)
  const program = `
    process.env.PAPERCLIP_CLAUDE_K8S_NATIVE = ${JSON.stringify(fromRoot('__test__/fixtures/native.cjs'))}
    globalThis.nativeScript = { seen: [] }
    const { createServerAdapter } = await import(${JSON.stringify(index)})
    const { execute } = await import(${JSON.stringify(server)})
    const reloaded = await import(${JSON.stringify(`${index}?t=2`)})
    const ctx = { runId: 'r', agent: { id: 'a', companyId: 'c' }, runtime: {}, config: {}, context: {}, onLog: async () => {}, signal: new AbortController().signal }
    await createServerAdapter().execute(ctx)
    delete process.env.PAPERCLIP_CLAUDE_K8S_NATIVE
    await execute(ctx)
    await reloaded.createServerAdapter().execute(ctx)
    console.log(nativeScript.seen.length, new Set(nativeScript.seen.map(({ request }) => request.host.startedAtMs)).size)`
  expect(node(program)).toBe('3 1')
})

test('the lock file names no registry', () => {
  const lock = readFileSync(fromRoot('package-lock.json'), 'utf8')
  expect([...lock.matchAll(/"resolved": "([^"]+)"/g)].map(([, url]) => url)).toEqual([])
})
