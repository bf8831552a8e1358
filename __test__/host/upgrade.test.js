/** The package changes under a server that runs: what a reload can replace, what needs a restart, and who says so. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { adapterVersion, packageName } from '../../js/identity.js'
import { needed } from './support/environment.js'
import { startHost } from './support/host-tool.js'
import { installedPackage } from './support/installed-package.js'
import { startLab } from './support/lab.js'
import { startRegistry } from './support/published-package.js'

// Three starts of a server, and npm in between.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 400_000 })

/** As long as the version of this package, see `published-package.js`. */
const newVersion = adapterVersion.replace(/\d$/, (digit) => `${(Number(digit) + 9) % 10}`)
const restart = 'restart the server to finish the upgrade'

/** @type {import('./support/host-tool.js').Host} */
let host
/** @type {import('./support/lab.js').Lab} */
let lab
/** @type {Awaited<ReturnType<typeof startRegistry>>} */
let registry
beforeAll(async () => {
  registry = await startRegistry()
  host = await startHost({ env: { npm_config_registry: registry.url } })
  lab = await startLab(host)
})
afterAll(async () => {
  await lab.stop()
  await host.remove()
  await registry.stop()
})

const adapter = async () => (await lab.paperclip.get('/adapters')).find((/** @type {any} */ { type }) => type === 'claude_k8s')
const standIn = () => lab.agent({ config: { image: needed('K8S_TEST_IMAGE') } })
const runOf = async (/** @type {import('./support/lab.js').Row} */ agent) => lab.paperclip.ended((await lab.wake(agent))['id'])
/** @returns {Promise<{ status: string, checks: { code: string, message: string }[] }>} */
const environment = () =>
  lab.paperclip.call('POST', `/companies/${lab.company.id}/adapters/claude_k8s/test-environment`, {
    adapterConfig: { ...lab.cliConfig, image: needed('K8S_TEST_IMAGE'), env: { PAPERCLIP_API_URL: host.podsUrl } },
  })

test('pkg_04 an upgrade by npm shows the new version at once, asks for a restart on every call, and works after it', async () => {
  registry.publish(adapterVersion)
  expect(await lab.paperclip.call('POST', '/adapters/install', { packageName })).toMatchObject({ type: 'claude_k8s', version: adapterVersion })
  const agent = await standIn()
  expect(await runOf(agent)).toMatchObject({ status: 'succeeded' })

  registry.publish(newVersion)
  expect(await lab.paperclip.call('POST', '/adapters/claude_k8s/reinstall')).toMatchObject({ version: newVersion, reinstalled: true })
  expect(await adapter()).toMatchObject({ version: newVersion })
  const refused = await runOf(agent)
  expect(refused).toMatchObject({ status: 'failed', errorCode: 'adapter_engine_unavailable' })
  expect(refused['error']).toContain(`is version ${adapterVersion} (abi 1), the package is version ${newVersion} (abi 1): ${restart}`)
  expect(await environment()).toMatchObject({
    status: 'fail',
    checks: [{ code: 'k8s_native_module_unavailable', detail: expect.stringContaining(restart) }],
  })

  await host.stop()
  await host.start()
  expect(await adapter()).toMatchObject({ version: newVersion })
  expect(await runOf(agent)).toMatchObject({ status: 'succeeded' })
})

test('a reload of changed JavaScript is in effect at once and keeps the native module, without a restart', async () => {
  await lab.paperclip.call('DELETE', '/adapters/claude_k8s')
  const installed = installedPackage()
  try {
    await lab.paperclip.call('POST', '/adapters/install', { packageName: installed.directory, isLocalPath: true })
    await host.stop()
    await host.start()
    const agent = await standIn()
    expect(await runOf(agent)).toMatchObject({ status: 'succeeded' })

    const entry = join(installed.directory, 'dist/index.js')
    writeFileSync(entry, readFileSync(entry, 'utf8').replace('Max Turns Per Run', 'Turns of a Run'))
    expect(await lab.paperclip.call('POST', '/adapters/claude_k8s/reload')).toMatchObject({ reloaded: true })
    const { fields } = await lab.paperclip.get('/adapters/claude_k8s/config-schema')
    expect(fields[0]).toMatchObject({ key: 'maxTurnsPerRun', label: 'Turns of a Run' })
    expect(await runOf(agent)).toMatchObject({ status: 'succeeded' })
  } finally {
    installed.remove()
  }
})
