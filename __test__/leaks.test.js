/** The look at what a test file leaves behind must see each kind of it. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'

import { expect, test } from 'vitest'

import { leftBehind, snapshot } from './support/leaks.js'
import { until } from './support/until.js'

const name = 'A_VARIABLE_OF_THIS_TEST'

/** @type {[string, RegExp, () => Promise<() => unknown>][]} */
const leaks = [
  ['a variable', /A_VARIABLE_OF_THIS_TEST/, async () => {
    process.env[name] = '1'
    return () => delete process.env[name]
  }],
  ['a server', /TCPServerWrap/, async () => {
    const server = net.createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return () => server.close()
  }],
  ['a child process', /ProcessWrap/, async () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], { stdio: 'ignore' })
    await once(child, 'spawn')
    return () => child.kill()
  }],
]

test.each(leaks)('pkg_10 %s that is left behind is seen, and its end too', async (_, told, leak) => {
  const before = snapshot()
  expect(leftBehind(before).join()).not.toMatch(told)
  const end = await leak()
  expect(leftBehind(before).join()).toMatch(told)
  end()
  await until('nothing is left', () => !told.test(leftBehind(before).join()))
})
