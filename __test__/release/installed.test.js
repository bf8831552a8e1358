/**
 * The tarballs of a release, installed from files without a network: what a server gets. Run by `npm run release:test`, which
 * says where they are, for which platform, and with which Node: one of that platform, perhaps under emulation.
 */

import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { platforms } from '../../js/native/platform.js'
import { judge, largestBytes } from '../../scripts/release/check.js'
import { fromRoot } from '../paths.js'
import { commandLine, directory, modules, name, node, platform, reportsItself, isTried } from './where.js'

/** @param {string} packageName */
const manifestOf = (packageName) => JSON.parse(readFileSync(join(modules, packageName, 'package.json'), 'utf8'))
const { version } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8'))

test('PLT-01: the Node of these tests is one of the platform', () => {
  expect(reportsItself()).toBe(platform)
})

test('only the package and the platform package of this Node are installed', () => {
  expect(readdirSync(modules).filter((entry) => !entry.startsWith('.')).sort()).toEqual([name, `${name}-${platform}`])
})

test('the published manifest asks for every platform package in its own version, and for nothing else', () => {
  const manifest = manifestOf(name)
  expect(manifest.version).toBe(version)
  expect(manifest.optionalDependencies).toEqual(Object.fromEntries(platforms.map((other) => [`${name}-${other}`, version])))
  expect(manifest).not.toHaveProperty('dependencies')
})

test('a platform package has its native module, and says where it may be installed', () => {
  const [os, cpu, libc] = platform.split('-')
  const file = `claude-k8s.${platform}.node`
  expect(readdirSync(join(modules, `${name}-${platform}`)).sort()).toEqual(['LICENSE', 'README.md', file, 'package.json'])
  expect(manifestOf(`${name}-${platform}`)).toMatchObject({
    version,
    main: file,
    license: 'MIT',
    os: [os],
    cpu: [cpu],
    ...(libc && { libc: [libc === 'gnu' ? 'glibc' : libc] }),
  })
})

test('the native module is small enough and asks for no newer glibc than promised', () => {
  const module = readFileSync(join(modules, `${name}-${platform}`, `claude-k8s.${platform}.node`))
  expect(judge(platform, module, isTried ? Infinity : largestBytes)).toMatchObject({ faults: [] })
})

test('every entry is found by its name, and the native module is the one of the platform package', () => {
  const program = `
    import { createServerAdapter } from '${name}'
    import { testEnvironment } from '${name}/server'
    import { printClaudeStreamEvent } from '${name}/cli'
    import { parseStdoutLine } from '${name}/ui-parser'
    process.env.HOME = '/nonexistent'
    delete process.env.KUBECONFIG
    delete process.env.KUBERNETES_SERVICE_HOST
    const { checks } = await testEnvironment({ adapterType: 'claude_k8s', companyId: 'c', config: {} })
    console.log(JSON.stringify({
      type: createServerAdapter().type,
      functions: [printClaudeStreamEvent, parseStdoutLine].map((one) => typeof one),
      checks: checks.map(({ code }) => code),
      loaded: Object.getOwnPropertySymbols(globalThis).map((symbol) => globalThis[symbol]?.native?.path).find(Boolean),
    }))`
  expect(JSON.parse(node('--input-type=module', '--eval', program))).toEqual({
    type: 'claude_k8s',
    functions: ['function', 'function'],
    checks: ['k8s_api_unreachable'],
    loaded: join(modules, `${name}-${platform}`, `claude-k8s.${platform}.node`),
  })
})

test('the command line works from the installed package', () => {
  expect(node(commandLine, 'rbac', '--namespace', 'agents')).toContain('namespace: agents')
})

test('npm finds the command of the installed package', () => {
  const printed = execFileSync('npm', ['exec', '--offline', '--no', '--', name, 'rbac', '--namespace', 'agents'], { cwd: directory, encoding: 'utf8' })
  expect(printed).toContain('kind: Role')
  expect(printed).toContain('namespace: agents')
})
