/** The platforms a native module is published for: `napi.targets` of `package.json` by the names of their packages. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** @type {{ name: string, version: string, files: string[], napi: { targets: string[] } }} */
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const processors = new Map([
  ['aarch64', 'arm64'],
  ['x86_64', 'x64'],
])

/** Rust target by platform: `linux-x64-gnu` → `x86_64-unknown-linux-gnu`. */
export const targets = new Map(manifest.napi.targets.map((target) => [platformOf(target), target]))

/** @param {string} target */
function platformOf(target) {
  const [processor = '', , system, libc] = target.split('-')
  return [system, processors.get(processor), ...(libc ? [libc] : [])].join('-')
}

/** Modules that are published lie beside the manifests of their packages. */
export const publishedModules = join(root, 'npm')

/** Modules that are only tried: `release:pack` must never find one among those that are published. */
export const triedModules = join(root, 'target/tried')

/**
 * Where the native module of a platform package lies.
 * @param {string} platform
 * @param {string} [modules]
 */
export const binaryOf = (platform, modules = publishedModules) => join(modules, platform, `claude-k8s.${platform}.node`)
