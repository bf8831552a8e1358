/**
 * `npm run test:host`: the packed package in a real Paperclip server, with the real CLI on a real cluster. Further
 * arguments go to vitest. With `--host VERSION` the main path runs on that version of the server (HOS-09).
 *
 * Starts servers of its own with fresh state, and touches only cluster namespaces that it creates (`claude-k8s-test-…`).
 */

import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { giveUp, prepare, root } from './prepare.js'

const help = `usage: HOST_TEST_TOOL=FOLDER K8S_TEST_KUBECONFIG=FILE … npm run test:host -- [--host VERSION]... [vitest arguments]
  --host VERSION        only the main path, on this version of the server, such as 2026.824.1; again for more versions
  HOST_TEST_TOOL        folder with the programs \`up\` and \`down\`, which start and stop a server
  K8S_TEST_KUBECONFIG   kubeconfig of a cluster administrator
  K8S_TEST_CLI_IMAGE    image with the real CLI
  K8S_TEST_FAKE_API     base URL of the fake model API as pods see it; its address must be one of this machine
  K8S_TEST_IMAGE        image with the stand-in CLI
  K8S_TEST_VOLUMES      directory on the node for volumes [/var/lib/k8s-test/volumes]
  HOST_TEST_BROWSER     path of a Chromium [/usr/bin/chromium]
All but the last two are needed.`

/** @type {string[]} */
const versions = []
/** @type {string[]} what vitest gets */
const rest = []
for (let args = process.argv.slice(2); args.length > 0; args = args.slice(1)) {
  const [name = '', value] = (args[0] ?? '').split('=', 2)
  if (name === '--help') {
    console.log(help)
    process.exit(0)
  }
  if (name !== '--host') rest.push(args[0] ?? '')
  else {
    if (value === undefined) args = args.slice(1)
    versions.push(value ?? args[0] ?? '')
  }
}
for (const version of versions) {
  if (!/^\d{4}\.\d{1,4}\.\d{1,4}$/.test(version)) giveUp(`\`--host\` takes a version like 2026.916.1, not \`${version}\`.`)
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

/**
 * @param {string} folder of the tool
 * @param {Record<string, string>} env
 * @param {string[]} args of vitest
 */
function runSuites(folder, env, args) {
  const argv = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', '__test__/host/vitest.config.js', ...args]
  return spawnSync(process.execPath, argv, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env, HOST_TEST_TOOL: folder } }).status ?? 1
}

/** A copy of the tool that starts another version of the server. @param {string} version */
function toolFor(version) {
  const folder = mkdtempSync(join(tmpdir(), 'paperclip-host-tool-'))
  const program = readFileSync(join(tool, 'up'), 'utf8')
    .replace(/^VERSION=\S+/m, `VERSION=${version}`)
    // How servers before 2026.916 say that they are ready.
    .replace('Server startup recovery complete on', 'Server (startup recovery complete|listening) on')
  if (!program.includes(`\nVERSION=${version}`)) giveUp(`\`${join(tool, 'up')}\` has no line \`VERSION=…\`, so it starts no other version.`)
  writeFileSync(join(folder, 'up'), program, { mode: 0o755 })
  copyFileSync(join(tool, 'down'), join(folder, 'down'))
  return folder
}

if (versions.length === 0) process.exit(runSuites(tool, {}, rest))
for (const version of versions) {
  const folder = toolFor(version)
  console.log(`▸ the main path on Paperclip ${version}`)
  const status = runSuites(folder, { HOST_TEST_VERSION: version }, ['main-path', ...rest])
  rmSync(folder, { recursive: true, force: true })
  if (status !== 0) process.exitCode = status
}
