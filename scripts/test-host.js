/**
 * `npm run test:host`: the packed package in a real Paperclip server, with the real CLI on a real cluster. Further
 * arguments go to vitest.
 *
 * Starts servers of its own with fresh state, and touches only cluster namespaces that it creates (`claude-k8s-test-…`).
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { giveUp, prepare, root } from './prepare.js'

const help = `usage: HOST_TEST_TOOL=FOLDER K8S_TEST_KUBECONFIG=FILE … npm run test:host -- [vitest arguments]
  HOST_TEST_TOOL        folder with the programs \`up\` and \`down\`, which start and stop a server
  K8S_TEST_KUBECONFIG   kubeconfig of a cluster administrator
  K8S_TEST_CLI_IMAGE    image with the real CLI
  K8S_TEST_FAKE_API     base URL of the fake model API as pods see it; its address must be one of this machine
  K8S_TEST_IMAGE        image with the stand-in CLI
  K8S_TEST_VOLUMES      directory on the node for volumes [/var/lib/k8s-test/volumes]
  HOST_TEST_BROWSER     path of a Chromium [/usr/bin/chromium]
All but the last two are needed.`

const args = process.argv.slice(2)
if (args.includes('--help')) {
  console.log(help)
  process.exit(0)
}
for (const name of ['HOST_TEST_TOOL', 'K8S_TEST_KUBECONFIG', 'K8S_TEST_CLI_IMAGE', 'K8S_TEST_FAKE_API', 'K8S_TEST_IMAGE']) {
  if (!process.env[name]) giveUp(`Set \`${name}\`. \`npm run test:host -- --help\` explains it.`)
}
const tool = resolve(process.env['HOST_TEST_TOOL'] ?? '')
const browser = process.env['HOST_TEST_BROWSER'] ?? '/usr/bin/chromium'
for (const path of [join(tool, 'up'), join(tool, 'down'), process.env['K8S_TEST_KUBECONFIG'] ?? '', browser]) {
  if (!existsSync(path)) giveUp(`\`${path}\` does not exist. \`npm run test:host -- --help\` explains what is needed.`)
}
try {
  await fetch(process.env['K8S_TEST_FAKE_API'] ?? '')
} catch {
  giveUp(`The fake model API at \`${process.env['K8S_TEST_FAKE_API']}\` does not answer.`)
}

prepare({ build: 'build:debug', simulator: false })

const argv = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', '__test__/host/vitest.config.js', ...args]
const { status } = spawnSync(process.execPath, argv, { cwd: root, stdio: 'inherit', env: { ...process.env, HOST_TEST_TOOL: tool } })
process.exit(status ?? 1)
