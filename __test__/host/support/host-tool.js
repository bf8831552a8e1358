/**
 * A Paperclip server of our own, started and stopped by the tool that `HOST_TEST_TOOL` names: a folder with the programs
 * `up` and `down`. Its state lies in a fresh directory, so servers do not know each other.
 *
 * ```text
 * tests ──▶ url (loopback)       pods ──▶ podsUrl (this machine as pods see it) ──forward──▶ server
 * ```
 */

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { needed } from './environment.js'

const run = promisify(execFile)
const preload = fileURLToPath(new URL('loop-delay.cjs', import.meta.url))

/** @typedef {Awaited<ReturnType<typeof startHost>>} Host */

/**
 * @param {object} [options]
 * @param {Record<string, string>} [options.env] of the server, hence of the adapter
 */
export async function startHost({ env = {} } = {}) {
  const folder = openFolder()
  const state = join(folder, 'state')
  const port = await freePort(podsAddress())
  const variables = {
    // Read once at start: the file is a copy, because the server's user may not see the checkout.
    NODE_OPTIONS: `--require=${copyForHost(preload, folder, 'loop-delay.cjs')}`,
    LOOP_DELAY_FILE: join(folder, 'loop-delay.jsonl'),
    ...env,
  }
  writeFileSync(variables.LOOP_DELAY_FILE, '', { mode: 0o666 })
  chmodSync(variables.LOOP_DELAY_FILE, 0o666)

  /** @param {'up' | 'down'} program @param {string[]} args */
  async function tool(program, args) {
    const options = { env: { ...process.env, PAPERCLIP_HOST_STATE: state }, maxBuffer: 64 * 1_048_576 }
    return (await run(join(needed('HOST_TEST_TOOL'), program), args, options)).stdout
  }
  const host = {
    /** Where tests reach the server. */
    url: '',
    /** Where pods reach it. */
    podsUrl: `http://${podsAddress()}:${port}`,
    /** Every user may read what is put here. */
    folder,
    /** Its `PAPERCLIP_HOME`. */
    home: join(state, 'home'),
    loopDelayFile: variables.LOOP_DELAY_FILE,
    /** Of the embedded PostgreSQL. */
    database: () => {
      const [, , , port] = readFileSync(join(host.home, 'instances/lab/db/postmaster.pid'), 'utf8').split('\n')
      return `postgres://paperclip:paperclip@127.0.0.1:${port}/paperclip`
    },
    pid: () => Number(readFileSync(join(state, 'server.pid'), 'utf8')),
    log: () => readFileSync(join(state, 'server.log'), 'utf8'),
    async start() {
      const settings = Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`])
      const printed = await tool('up', [...settings, '--expose', `${podsAddress()}:${port}`])
      host.url = /^URL=(\S+)$/m.exec(printed)?.[1] ?? ''
      if (!host.url) throw new Error(`\`up\` printed no URL: ${printed}`)
    },
    /** As an operator stops it: SIGTERM. */
    stop: () => tool('down', []),
    /** As a crash does: SIGKILL. Its database lives on. */
    kill: () => tool('down', ['--kill']),
    /** Stops it for good. */
    async remove() {
      await tool('down', ['--wipe'])
      rmSync(folder, { recursive: true })
    },
  }
  await host.start()
  return host
}

/** This machine as the pods of the cluster see it: that is where the fake model API listens. */
export const podsAddress = () => new URL(needed('K8S_TEST_FAKE_API')).hostname

/** A fresh directory that the server's user may enter. */
export function openFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'paperclip-host-test-'))
  chmodSync(folder, 0o755)
  return folder
}

/** @param {string} from @param {string} folder @param {string} name */
function copyForHost(from, folder, name) {
  const to = join(folder, name)
  copyFileSync(from, to)
  chmodSync(to, 0o644)
  return to
}

/**
 * @param {string} address
 * @returns {Promise<number>}
 */
async function freePort(address) {
  const server = createServer().listen(0, address)
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  server.close()
  await once(server, 'close')
  return port
}
