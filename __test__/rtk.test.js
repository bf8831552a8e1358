import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { fromRoot, samples } from './paths.js'

/**
 * Runs the hook as the CLI does.
 * @param {unknown} input
 * @param {string[]} argv
 */
function hook(input, ...argv) {
  const text = typeof input === 'string' ? input : JSON.stringify(input)
  return execFileSync(process.execPath, [fromRoot('crates/core/src/manifest/rtk.cjs'), ...argv], {
    input: text,
    encoding: 'utf8',
    maxBuffer: 32 * 1_048_576,
  })
}

/**
 * @param {unknown} toolResponse
 * @param {number} limit
 */
function shortened(toolResponse, limit) {
  const output = hook({ tool_response: toolResponse }, String(limit))
  return output === '' ? null : JSON.parse(output)
}

/** @param {unknown} updatedToolOutput */
const replacing = (updatedToolOutput) => ({ hookSpecificOutput: { hookEventName: 'PostToolUse', updatedToolOutput } })

test.each(['hook-dump', 'hook-read', 'hook-mcp'])('the recorded input %s is short enough and changes nothing', (name) => {
  expect(hook(readFileSync(`${samples}/${name}.stdin.json`, 'utf8'), '1024')).toBe('')
})

test('the recorded shapes survive, only their long texts are cut', () => {
  const marker = (/** @type {number} */ bytes) => `\n[paperclip] output shortened: ${bytes} bytes removed`
  expect(shortened({ stdout: 'a'.repeat(30), stderr: 'short', interrupted: false, isImage: false }, 20)).toEqual(
    replacing({ stdout: `${'a'.repeat(20)}${marker(10)}`, stderr: 'short', interrupted: false, isImage: false }),
  )
  expect(shortened({ type: 'text', file: { filePath: '/x', content: 'b'.repeat(21), numLines: 1 } }, 20)).toEqual(
    replacing({ type: 'text', file: { filePath: '/x', content: `${'b'.repeat(20)}${marker(1)}`, numLines: 1 } }),
  )
  expect(shortened([{ type: 'text', text: 'c'.repeat(25) }], 20)).toEqual(replacing([{ type: 'text', text: `${'c'.repeat(20)}${marker(5)}` }]))
  expect(shortened('d'.repeat(25), 20)).toEqual(replacing(`${'d'.repeat(20)}${marker(5)}`))
})

test('a cut never splits a character, and the marker counts bytes', () => {
  const text = 'ä€😀'.repeat(10) // 9 bytes each
  for (const limit of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 89, 90]) {
    const answer = shortened({ stdout: text }, limit)
    if (limit === 90) {
      expect(answer).toBeNull()
      continue
    }
    const [, head = '', removed] = /^(.*)\n\[paperclip\] output shortened: (\d+) bytes removed$/s.exec(answer.hookSpecificOutput.updatedToolOutput.stdout) ?? []
    expect(text.startsWith(head)).toBe(true)
    expect(Buffer.byteLength(head)).toBeLessThanOrEqual(limit)
    expect(Buffer.byteLength(head)).toBeGreaterThan(limit - 4)
    expect(Number(removed)).toBe(90 - Buffer.byteLength(head))
  }
})

test.each([
  ['an image of the Read tool', { type: 'image', file: { base64: 'A'.repeat(99) } }],
  ['an image from Bash', { stdout: 'A'.repeat(99), isImage: true }],
  ['an image block', [{ type: 'image', data: 'A'.repeat(99) }]],
])('%s stays whole', (_, response) => {
  expect(shortened(response, 20)).toBeNull()
})

test.each([
  ['no JSON', 'nonsense', ['100']],
  ['nothing on stdin', '', ['100']],
  ['no tool response', '{}', ['100']],
  ['no limit', JSON.stringify({ tool_response: 'x'.repeat(99) }), []],
  ['a limit that is no number', JSON.stringify({ tool_response: 'x'.repeat(99) }), ['many']],
  ['a limit of zero', JSON.stringify({ tool_response: 'x'.repeat(99) }), ['0']],
])('%s: no output, and the exit code is 0', (_, input, argv) => {
  expect(hook(input, ...argv)).toBe('')
})

test('an output of several megabytes is cut and arrives whole', () => {
  const stdout = 'x'.repeat(4_000_000)
  const answer = shortened({ stdout, stderr: stdout }, 1_000_000)
  expect(answer.hookSpecificOutput.updatedToolOutput.stdout.length).toBeLessThan(1_000_100)
})
