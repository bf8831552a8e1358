/**
 * `npm run test:cluster`: the end-to-end suites against a real cluster. Further arguments go to vitest.
 *
 * Touches only namespaces that it creates (`claude-k8s-test-…`) and, for runs with a data claim, a volume of the same name.
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { giveUp, prepare, root } from './prepare.js'

const help = `usage: K8S_TEST_KUBECONFIG=FILE npm run test:cluster -- [vitest arguments]
  K8S_TEST_KUBECONFIG   kubeconfig of a cluster administrator; needed
  K8S_TEST_AUDIT_LOG    path of the API server's audit log; needed, requests are counted in it
  K8S_TEST_IMAGE        image with the stand-in CLI [localhost/fake-claude:test]
  K8S_TEST_CLI_IMAGE    image with the real CLI, and
  K8S_TEST_FAKE_API     base URL of the fake model API as pods see it: both, or the suite of the real CLI does not run
  K8S_TEST_CONTAINERD   socket of the node's containerd, into which images with other shells go; without it they are not tried
  K8S_TEST_VOLUMES      directory on the node for volumes [/var/lib/k8s-test/volumes]
The node has to be this machine: a host in a pod, and an image without \`node\`, get Node from its file system.`

const args = process.argv.slice(2)
if (args.includes('--help')) {
  console.log(help)
  process.exit(0)
}
for (const name of ['K8S_TEST_KUBECONFIG', 'K8S_TEST_AUDIT_LOG']) {
  const path = process.env[name]
  if (!path) giveUp(`Set \`${name}\`. \`npm run test:cluster -- --help\` explains it.`)
  if (!existsSync(path)) giveUp(`\`${name}\` names \`${path}\`, which does not exist.`)
}
if (!process.env.K8S_TEST_CLI_IMAGE !== !process.env.K8S_TEST_FAKE_API) {
  giveUp('Set both `K8S_TEST_CLI_IMAGE` and `K8S_TEST_FAKE_API`, or neither.')
}

prepare({ build: 'build:debug', simulator: false })

const suites = ['run', 'host-callbacks', 'cancel', 'reconnect', 'settle', 'endings', 'situations', 'isolation', 'restart', 'bad-input', 'configuration', 'prompt-delivery', 'environment', 'own-pod', 'concurrent', 'container-end', 'policy', 'real-cli']
const files = suites.map((name) => `__test__/${name}.test.js`)
const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...files, ...args], { cwd: root, stdio: 'inherit' })
process.exit(status ?? 1)
