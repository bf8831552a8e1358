/** The package as npm packs and installs it, in a directory that the server's user may read. */

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { packageName } from '../../../js/identity.js'
import { platformName } from '../../../js/native/platform.js'
import { fromRoot } from '../../paths.js'
import { openFolder } from './host-tool.js'

export function installedPackage() {
  const folder = openFolder()
  const platform = platformName()
  const platformFolder = join(folder, 'platform')
  cpSync(fromRoot(`npm/${platform}`), platformFolder, { recursive: true })
  cpSync(fromRoot(`claude-k8s.${platform}.node`), join(platformFolder, `claude-k8s.${platform}.node`))
  const tarballs = [pack(fromRoot('.'), folder), pack(platformFolder, folder)]

  const store = join(folder, 'store')
  mkdirSync(store)
  writeFileSync(join(store, 'package.json'), '{"private":true}')
  // Offline: what is installed comes from the two files alone.
  execFileSync('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', ...tarballs], { cwd: store, stdio: 'pipe' })
  return {
    directory: join(store, 'node_modules', packageName),
    remove: () => rmSync(folder, { recursive: true }),
  }
}

/**
 * @param {string} directory
 * @param {string} destination
 * @returns {string} path of the tarball
 */
function pack(directory, destination) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', destination]
  const [packed] = JSON.parse(execFileSync('npm', args, { cwd: directory, encoding: 'utf8', stdio: 'pipe' }))
  return join(destination, packed.filename)
}
