/**
 * A package registry with this package alone, as the server's own npm sees one, and the means to publish another version
 * of it: the built files with their version replaced. A native module has the version it was compiled with in its
 * constants, so the replacement has the same length.
 */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

import { adapterVersion, packageName } from '../../../js/identity.js'
import { platformName } from '../../../js/native/platform.js'
import { fromRoot } from '../../paths.js'
import { openFolder } from './host-tool.js'

/** @typedef {{ manifest: Record<string, any>, tarball: Buffer }} Published */

const platform = platformName()
const platformPackage = `${packageName}-${platform}`
const nativeFile = `claude-k8s.${platform}.node`

export async function startRegistry() {
  const folder = openFolder()
  /** @type {Map<string, Published[]>} by name, the newest last */
  const packages = new Map()

  const server = createServer((request, response) => {
    const [, name = '', , file] = decodeURIComponent(request.url ?? '').split('/')
    const published = packages.get(name)
    // Every other package is unknown: npm passes over an optional dependency that cannot be had.
    if (!published) return response.writeHead(404, { 'content-type': 'application/json' }).end('{}')
    if (file) return response.end(published.find(({ manifest }) => file === `${manifest['version']}.tgz`)?.tarball)
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache' })
    response.end(JSON.stringify(metadata(name, published)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const url = `http://127.0.0.1:${port}/`

  /** @param {string} name @param {Published[]} published */
  function metadata(name, published) {
    const versions = published.map(({ manifest, tarball }) => {
      const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
      return [manifest['version'], { ...manifest, dist: { integrity, tarball: `${url}${name}/-/${manifest['version']}.tgz` } }]
    })
    return { name, 'dist-tags': { latest: versions.at(-1)?.[0] }, versions: Object.fromEntries(versions) }
  }

  return {
    url,
    /** The package and the platform package of this machine. @param {string} version as long as the built one */
    publish(version) {
      for (const directory of [mainPackage(join(folder, version, 'main'), version), nativePackage(join(folder, version, 'native'), version)]) {
        const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
        packages.set(manifest.name, [...(packages.get(manifest.name) ?? []), { manifest, tarball: pack(directory) }])
      }
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      rmSync(folder, { recursive: true })
    },
  }
}

/** @param {string} directory @param {string} version */
function mainPackage(directory, version) {
  const manifest = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8'))
  for (const path of manifest.files) cpSync(fromRoot(path), join(directory, path), { recursive: true })
  for (const file of readdirSync(join(directory, 'dist'))) replaceVersion(join(directory, 'dist', file), version)
  const published = { ...manifest, version, optionalDependencies: { [platformPackage]: version } }
  writeFileSync(join(directory, 'package.json'), JSON.stringify(published))
  return directory
}

/** @param {string} directory @param {string} version */
function nativePackage(directory, version) {
  mkdirSync(directory, { recursive: true })
  cpSync(fromRoot(nativeFile), join(directory, nativeFile))
  replaceVersion(join(directory, nativeFile), version)
  const manifest = JSON.parse(readFileSync(fromRoot(`npm/${platform}/package.json`), 'utf8'))
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ ...manifest, version }))
  return directory
}

/** @param {string} path @param {string} version */
function replaceVersion(path, version) {
  const bytes = readFileSync(path)
  for (let at = bytes.indexOf(adapterVersion); at >= 0; at = bytes.indexOf(adapterVersion, at + version.length)) bytes.write(version, at)
  writeFileSync(path, bytes)
}

/** @param {string} directory */
function pack(directory) {
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts'], { cwd: directory, encoding: 'utf8', stdio: 'pipe' }))
  return readFileSync(join(directory, packed.filename))
}
