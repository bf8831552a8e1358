/**
 * `npm run release:pack`: the tarballs of a release, in `target/packages/`. What is tested is what is published.
 *
 *   npm run release:pack             the main package and a platform package for each native module in `npm/`
 *   npm run release:pack -- --all    the same, and a missing native module is an error
 *   npm run release:pack -- --tried  of the modules in `target/tried/` (`npm run release:try`), in `target/tried/packages/`
 *
 * Works on a copy: only a published manifest names the platform packages, because `npm ci` of a checkout fails on
 * optional dependencies that the registry does not have yet. The Node-API command line writes that manifest. On GitHub
 * the manifests also name the repository, which a provenance statement is checked against.
 */

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import { binaryOf, manifest, publishedModules, targets, triedModules } from './platforms.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const tried = process.argv.includes('--tried')
const modules = tried ? triedModules : publishedModules
const packages = tried ? join(triedModules, 'packages') : join(root, 'target/packages')
const stage = join(packages, 'stage')

const platforms = [...targets.keys()].sort()
const built = platforms.filter((platform) => existsSync(binaryOf(platform, modules)))
const missing = platforms.filter((platform) => !built.includes(platform))
if (built.length === 0) giveUp(`There is no native module in \`${relative(root, modules)}/\`: run \`npm run release:${tried ? 'try' : 'build'}\`.`)
if (missing.length > 0 && process.argv.includes('--all')) giveUp(`Native modules are missing: ${missing.join(', ')}.`)

run('npm', ['run', '--silent', 'build:js'], root)
rmSync(packages, { recursive: true, force: true })
stageCopy()
run('npm', ['run', '--silent', 'release:manifest'], stage)
for (const folder of ['.', ...built.map((platform) => `npm/${platform}`)]) {
  nameRepository(join(stage, folder, 'package.json'))
  run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', packages], join(stage, folder))
}
rmSync(stage, { recursive: true })
for (const file of readdirSync(packages)) {
  console.log(`${join(relative(root, packages), file)}  ${statSync(join(packages, file)).size.toLocaleString('en')} bytes`)
}
if (missing.length > 0) console.log(`not built here: ${missing.join(', ')}`)

function stageCopy() {
  for (const path of [...manifest.files, 'package.json', 'README.md', 'LICENSE', 'npm']) {
    mkdirSync(dirname(join(stage, path)), { recursive: true })
    cpSync(join(root, path), join(stage, path), { recursive: true })
  }
  for (const platform of platforms) cpSync(join(root, 'LICENSE'), join(stage, 'npm', platform, 'LICENSE'))
  for (const platform of built) cpSync(binaryOf(platform, modules), binaryOf(platform, join(stage, 'npm')))
  // The tool writes all platform packages into the manifest or none. An empty file is never packed.
  for (const platform of missing) writeFileSync(binaryOf(platform, join(stage, 'npm')), '')
}

/** @param {string} path of a manifest */
function nameRepository(path) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env
  if (!server || !repository) return
  const content = JSON.parse(readFileSync(path, 'utf8'))
  writeFileSync(path, `${JSON.stringify({ ...content, repository: { type: 'git', url: `git+${server}/${repository}.git` } }, null, 2)}\n`)
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} cwd
 */
function run(program, args, cwd) {
  try {
    execFileSync(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  } catch {
    giveUp(`\`${program} ${args.join(' ')}\` failed; its output is above.`)
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function giveUp(message) {
  console.error(message)
  process.exit(1)
}
