import { execFileSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'

import fc from 'fast-check'
import { afterAll, expect, test, vi } from 'vitest'

import { fromRoot, sampleLines } from './paths.js'

// The colour library decides once, when it is loaded.
vi.stubEnv('NO_COLOR', undefined)
vi.stubEnv('FORCE_COLOR', '1')
afterAll(() => void vi.unstubAllEnvs())
const { printClaudeStreamEvent } = await import('../js/cli.js')

/**
 * What one line prints; colour codes become `<colour>…`.
 * @param {unknown} event
 * @param {boolean} [debug]
 */
function printed(event, debug = false) {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    printClaudeStreamEvent(typeof event === 'string' ? event : JSON.stringify(event), debug)
    return log.mock.calls.map(([text]) => nameColors(text))
  } finally {
    log.mockRestore()
  }
}

/** @type {Record<string, string>} */
const colors = { 31: 'red', 32: 'green', 33: 'yellow', 34: 'blue', 36: 'cyan', 90: 'gray' }

/** @param {string} text */
const nameColors = (text) => text.replace(/^\u001b\[(\d+)m(.*)\u001b\[39m$/s, (_, code, inner) => `<${colors[code]}>${inner}`)

/** @param {unknown[]} content */
const assistant = (...content) => ({ type: 'assistant', message: { content } })

test.each([
  ['an empty line', '  ', []],
  ['text', '  hello ', ['hello']],
  ['null', 'null', ['null']],
  ['an array', '[1]', ['[1]']],
  ['an init', { type: 'system', subtype: 'init', model: 'm', session_id: 's' }, ['<blue>Claude initialized (model: m, session: s)']],
  ['an init without session', { type: 'system', subtype: 'init' }, ['<blue>Claude initialized (model: unknown)']],
  [
    'assistant blocks',
    assistant({ type: 'text', text: 'a' }, { type: 'text', text: '' }, { type: 'thinking', thinking: 'b' }),
    ['<green>assistant: a', '<gray>thinking: b'],
  ],
  [
    'tool calls',
    assistant({ type: 'tool_use', name: 'Bash', input: { command: 'ls' } }, { type: 'tool_use' }),
    ['<yellow>tool_call: Bash', '<gray>{\n  "command": "ls"\n}', '<yellow>tool_call: unknown'],
  ],
  [
    'tool results',
    {
      type: 'user',
      message: {
        content: [
          { type: 'text', text: 'not printed' },
          { type: 'tool_result', content: [{ type: 'text', text: 'out' }] },
          { type: 'tool_result', content: 'bad', is_error: true },
          { type: 'tool_result' },
        ],
      },
    },
    ['<cyan>tool_result', '<gray>out', '<red>tool_result (error)', '<red>bad', '<cyan>tool_result'],
  ],
  [
    'a result',
    { type: 'result', subtype: 'success', result: 'done', total_cost_usd: 0.1234567, usage: { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 3 } },
    ['<green>result:', 'done', '<blue>tokens: in=1 out=2 cached=3 cost=$0.123457'],
  ],
  [
    'a failed result',
    { type: 'result', subtype: 'error_max_turns', is_error: true, errors: ['a', { message: 'b' }] },
    ['<red>claude_result: subtype=error_max_turns is_error=true', '<red>claude_errors: a | b', '<blue>tokens: in=0 out=0 cached=0 cost=$0.000000'],
  ],
  [
    'an error without subtype',
    { type: 'result', is_error: true, total_cost_usd: 'x' },
    ['<red>claude_result: subtype=unknown is_error=true', '<blue>tokens: in=0 out=0 cached=0 cost=$0.000000'],
  ],
  [
    'a rate limit',
    { type: 'rate_limit_event', rate_limit_info: { rateLimitType: 'five_hour', status: 'allowed', resetsAt: 1_767_225_600 } },
    ['<yellow>rate_limit: type=five_hour status=allowed resets=2026-01-01T00:00:00.000Z'],
  ],
  ['an impossible reset time', { type: 'rate_limit_event', rate_limit_info: { resetsAt: 1e300 } }, ['<yellow>rate_limit: type=unknown status=unknown']],
  ['another event', { type: 'novelty' }, []],
])('%s is printed as documented', (_, event, lines) => {
  expect(printed(event)).toEqual(lines)
})

test('debug also prints events without a form of their own', () => {
  expect(printed({ type: 'novelty' }, true)).toEqual(['<gray>{"type":"novelty"}'])
})

test('NO_COLOR removes every colour', () => {
  const program = `import { printClaudeStreamEvent } from ${JSON.stringify(pathToFileURL(fromRoot('dist/cli.js')).href)}
    printClaudeStreamEvent('{"type":"system","subtype":"init"}', false)`
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
  })
  expect(output).toBe('Claude initialized (model: unknown)\n')
})

test('every recorded line can be printed', () => {
  expect(sampleLines().flatMap(({ line }) => printed(line, true)).length).toBeGreaterThan(sampleLines().length)
})

test('log_01 every recorded tool call is printed, in its order', () => {
  for (const { name, line } of sampleLines()) {
    const { type, message } = JSON.parse(line)
    if (type !== 'assistant') continue
    const calls = message.content.filter((/** @type {any} */ block) => block.type === 'tool_use').map((/** @type {any} */ block) => `<yellow>tool_call: ${block.name}`)
    expect(printed(line).filter((text) => text.startsWith('<yellow>tool_call')), name).toEqual(calls)
  }
})

test('no line makes it throw', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('utf8'))
  const event = fc.record({
    type: fc.constantFrom('system', 'assistant', 'user', 'result', 'rate_limit_event', 'x'),
    subtype: fc.jsonValue(),
    message: fc.oneof(fc.jsonValue(), fc.record({ content: fc.array(fc.oneof(fc.jsonValue(), fc.record({ type: fc.constantFrom('text', 'thinking', 'tool_use', 'tool_result'), content: fc.jsonValue(), input: fc.jsonValue(), name: fc.jsonValue() }))) })),
    rate_limit_info: fc.jsonValue(),
    errors: fc.jsonValue(),
    usage: fc.jsonValue(),
    result: fc.jsonValue(),
    total_cost_usd: fc.jsonValue(),
  })
  const lines = fc.oneof(bytes, fc.json({ maxDepth: 4 }), event.map((value) => JSON.stringify(value)))
  fc.assert(
    fc.property(lines, fc.boolean(), (line, debug) => {
      for (const text of printed(line, debug)) expect(text).toBeTypeOf('string')
    }),
  )
})

test('tru_24 no escape sequence of an agent reaches the terminal, whatever part of an event has it', () => {
  const attacks = ['\u001b]0;title\u0007', '\u001b]52;c;ZXZpbA==\u0007', '\u001b[2J\u001b[1;1H', '\u009b31m', 'done\rfailed', 'a\u202eb\u2066', '\u0000\u0008\u007f']
  // What a terminal would obey, written as escapes. Colours of ours are taken off before.
  const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
  for (const attack of attacks) {
    const events = [
      `plain ${attack}`,
      { type: 'system', subtype: 'init', model: attack, session_id: attack },
      assistant({ type: 'text', text: attack }, { type: 'thinking', thinking: attack }, { type: 'tool_use', name: attack, input: { command: attack } }),
      { type: 'user', message: { content: [{ type: 'tool_result', content: attack, is_error: true }] } },
      { type: 'result', result: attack, subtype: `error ${attack}`, errors: [attack, { message: attack }] },
      { type: 'rate_limit_event', rate_limit_info: { rateLimitType: attack, status: attack } },
      { type: attack },
    ]
    for (const event of events) {
      const lines = printed(event, true).map((line) => line.replace(/^<\w+>/, ''))
      expect(lines.length).toBeGreaterThan(0)
      for (const line of lines) expect(line).not.toMatch(obeyed)
    }
  }
  expect(printed('a\tb \u001b[31m red')).toEqual(['a\tb ␛[31m red'])
  expect(printed('x\u202e')).toEqual(['x<U+202E>'])
})

test('TRU-24: a line inside of an event cannot pass for one of the adapter', () => {
  const attack = 'done\n[paperclip] Run cancelled\n  [Paperclip] Warning: x\n\u200b[paper\u200d\u200bclip\u2060] y'
  for (const event of [
    assistant({ type: 'text', text: attack }),
    { type: 'user', message: { content: [{ type: 'tool_result', content: attack }] } },
    { type: 'result', result: attack },
  ]) {
    const lines = printed(event, true).flatMap((text) => text.split('\n'))
    expect(lines).toContain('[container] [paperclip] Run cancelled')
    expect(lines.map((line) => line.replace(/\p{Cf}/gu, '')).filter((line) => /^\s*\[paperclip\]/i.test(line))).toEqual([])
  }
  // Of whole lines the log has told it already.
  expect(printed('[paperclip] Job ac-1 was created')).toEqual(['[paperclip] Job ac-1 was created'])
})

test('TRU-24: a text that is made to be slow to look through is printed at once', () => {
  for (const attack of ['\r', ' ', '\u200b', '\u2028', '[\u200b'].map((part) => part.repeat(1_000_000))) {
    const startedAt = performance.now()
    printed(assistant({ type: 'text', text: `x${attack}` }), false)
    expect(performance.now() - startedAt).toBeLessThan(30_000)
  }
})
