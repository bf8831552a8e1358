/**
 * Finds, opens and checks the native module. Only called when a run or an environment test starts: an import never
 * fails because of it.
 *
 * ```text
 * PAPERCLIP_CLAUDE_K8S_NATIVE ─▶ beside the entry, up to the package root ─▶ node_modules above it ─▶ NativeUnavailable
 * ```
 *
 * Node's own search is not used: it goes on in `NODE_PATH` and in hidden directories of the home, which an agent may be able
 * to write to. The platform package is looked at before its code is loaded.
 *
 * Native code cannot be replaced within a process: after an upgrade the old image stays until the restart.
 */

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { adapterVersion, nativeAbi, packageName } from '../identity.js'
import { firstLine, open } from './open.js'
import { platformName, platforms } from './platform.js'
import { sharedState } from './shared.js'

/** @typedef {import('../types.d.ts').NativeModule} NativeModule */

/** Absolute path of a module that replaces every other place. */
const overrideName = 'PAPERCLIP_CLAUDE_K8S_NATIVE'

const restart = 'restart the server to finish the upgrade'

export class NativeUnavailable extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message)
    this.name = 'NativeUnavailable'
  }
}

/**
 * @param {string} [entryUrl] where this code runs from; the bundle's own URL in production
 * @returns {NativeModule}
 * @throws {NativeUnavailable} with the platform, every place tried and each cause
 */
export function loadNative(entryUrl = import.meta.url) {
  const state = sharedState()
  state.native ??= openFirst(new URL(entryUrl))
  const difference = versionDifference(state.native.module)
  if (difference === null) return state.native.module
  throw new NativeUnavailable(
    `The native module \`${state.native.path}\` of this process ${difference}: ${restart}.`,
  )
}

/** @param {URL} entryUrl */
function openFirst(entryUrl) {
  const platform = platformName()
  const require = createRequire(entryUrl)
  /** @type {string[]} */
  const causes = []
  for (const { name, find } of places(entryUrl, platform)) {
    try {
      const path = find()
      const module = open(path, require)
      const difference = versionDifference(module)
      if (difference === null) return { module, path }
      causes.push(`${name} ${difference}; reinstall the package, or ${restart}`)
    } catch (error) {
      causes.push(`${name}: ${firstLine(error)}`)
    }
  }
  throw new NativeUnavailable(describe(platform, causes))
}

/**
 * @param {URL} entryUrl
 * @param {string} platform
 * @returns {Array<{ name: string, find: () => string }>}
 */
function places(entryUrl, platform) {
  const override = process.env[overrideName]?.trim()
  if (override) return [{ name: `\`${overrideName}\` (\`${override}\`)`, find: () => absolute(override) }]
  const platformPackage = `${packageName}-${platform}`
  return [
    ...directoriesUpToRoot(dirname(fileURLToPath(entryUrl))).map((directory) => {
      const path = join(directory, `claude-k8s.${platform}.node`)
      return { name: `\`${path}\``, find: () => existing(path) }
    }),
    { name: `package \`${platformPackage}\``, find: () => moduleOf(platformPackage, dirname(fileURLToPath(entryUrl))) },
  ]
}

/**
 * The native module of the nearest installed platform package.
 * @param {string} name
 * @param {string} start
 */
function moduleOf(name, start) {
  const installed = ancestors(start).map((directory) => join(directory, 'node_modules', name))
  const folder = installed.find((directory) => existsSync(join(directory, 'package.json')))
  if (folder === undefined) throw new Error(`not found in any \`node_modules\` above \`${start}\``)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  if (manifest.name !== name || typeof manifest.main !== 'string') throw new Error(`\`${folder}\` is not this package`)
  if (manifest.version !== adapterVersion) {
    throw new Error(`\`${folder}\` is version ${manifest.version}, the package is version ${adapterVersion}; reinstall the package`)
  }
  return existing(join(folder, manifest.main))
}

/**
 * A directory and all above it, nearest first.
 * @param {string} directory
 * @returns {string[]}
 */
function ancestors(directory) {
  const parent = dirname(directory)
  return parent === directory ? [directory] : [directory, ...ancestors(parent)]
}

/**
 * The directory of the entry and those above it, up to the one with `package.json`.
 * @param {string} start
 */
function directoriesUpToRoot(start) {
  const directories = ancestors(start)
  const root = directories.findIndex((directory) => existsSync(join(directory, 'package.json')))
  return root < 0 ? directories : directories.slice(0, root + 1)
}

/** @param {string} path */
function absolute(path) {
  if (!isAbsolute(path)) throw new Error('is not an absolute path')
  return existing(path)
}

/** @param {string} path */
function existing(path) {
  if (!existsSync(path)) throw new Error('no such file')
  return path
}

/**
 * `null` when both halves fit together.
 * @param {NativeModule} module
 */
function versionDifference(module) {
  if (typeof module?.nativeVersion !== 'function' || typeof module.abi !== 'function') {
    return 'is not the native module of this package'
  }
  const version = module.nativeVersion()
  const abi = module.abi()
  if (version === adapterVersion && abi === nativeAbi) return null
  return `is version ${version} (abi ${abi}), the package is version ${adapterVersion} (abi ${nativeAbi})`
}

/**
 * @param {string} platform
 * @param {string[]} causes
 */
function describe(platform, causes) {
  const next = platforms.includes(platform)
    ? 'Reinstall the package without `--omit=optional`, or run `npm run build` in a checkout.'
    : `There is no build for this platform; supported are ${platforms.join(', ')}.`
  return `The native module of \`${packageName}\` ${adapterVersion} could not be loaded on \`${platform}\` (Node ${process.version}). Tried: ${causes.join('; ')}. ${next}`
}
