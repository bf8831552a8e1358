/**
 * The host's helper package, taken from the running host so that its own wording reaches the agent, with an equivalent
 * of ours for every name an older host lacks (PKG-06).
 *
 * Its `exports` allow only `import`, so `require.resolve` cannot find it: the file is looked up by hand.
 */

import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { asObject } from '../json.js'
import { builtInUtilities } from './built-in.js'

/** @typedef {typeof builtInUtilities} HostUtilities */

const packageName = '@paperclipai/adapter-utils'

/** The host's server may be a dependency of the program that was started; then only it can see the helper package. */
const serverName = '@paperclipai/server'

/**
 * Only what the running server itself sees is taken. A copy beside this package would be a second one: importing it blocks
 * the event loop for a second and keeps 60 MiB, for words that the built-in equivalents have as well.
 *
 * @param {string | undefined} [program] file of the running server
 * @returns {Promise<HostUtilities>}
 */
export async function loadHostUtilities(program = process.argv[1]) {
  const root = program === undefined ? null : findPackage(program)
  const modules = root === null ? [] : await Promise.all([load(root, 'server-utils'), load(root, 'skill-library-manifest')])
  const found = Object.assign({}, ...modules)
  const chosen = Object.entries(builtInUtilities).map(([name, builtIn]) => [
    name,
    typeof found[name] === typeof builtIn ? found[name] : builtIn,
  ])
  return Object.fromEntries(chosen)
}

/** @param {string} program @returns {string | null} */
export function findPackage(program) {
  const direct = packageDirectory(packageName, program)
  if (direct !== null) return direct
  const server = packageDirectory(serverName, program)
  return server && packageDirectory(packageName, join(server, 'package.json'))
}

/**
 * @param {string} name
 * @param {string} origin
 * @returns {string | null}
 */
function packageDirectory(name, origin) {
  try {
    // `node_modules/.bin/…` and pnpm's layout are links: only the real place sees its dependencies.
    const paths = createRequire(realpathSync(origin)).resolve.paths(name) ?? []
    return paths.map((path) => join(path, name)).find((path) => existsSync(join(path, 'package.json'))) ?? null
  } catch {
    return null // the program was started from standard input, or its file is gone
  }
}

/**
 * @param {string} root
 * @param {string} subpath
 * @returns {Promise<Record<string, unknown>>} empty when this version of the package has no such module
 */
async function load(root, subpath) {
  try {
    const file = join(root, exportedFile(root, subpath))
    return await import(pathToFileURL(file).href)
  } catch {
    return {}
  }
}

/**
 * @param {string} root
 * @param {string} subpath
 */
function exportedFile(root, subpath) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const target = exports?.[`./${subpath}`] ?? exports?.['./*']
  const file = typeof target === 'string' ? target : (asObject(target)['import'] ?? asObject(target)['default'])
  return typeof file === 'string' ? file.replace('*', subpath) : `dist/${subpath}.js`
}
