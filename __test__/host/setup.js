/** Runs once before the suites: the package as it is published, installed into the server that they share. */

import { installedPackage } from './support/installed-package.js'
import { startHost } from './support/host-tool.js'
import { createPaperclip } from './support/paperclip.js'

/** @param {import('vitest/node').TestProject} project */
export default async function setup(project) {
  const installed = installedPackage()
  const host = await startHost()
  await createPaperclip(() => host.url).call('POST', '/adapters/install', { packageName: installed.directory, isLocalPath: true })
  const { url, podsUrl, home, loopDelayFile } = host
  project.provide('host', { url, podsUrl, home, loopDelayFile, pid: host.pid(), database: host.database() })
  project.provide('packageDirectory', installed.directory)
  return async () => {
    await host.remove()
    installed.remove()
  }
}
