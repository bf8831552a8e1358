import { readFileSync } from 'node:fs'

import fc from 'fast-check'
import { expect, test } from 'vitest'

import { fromRoot, sampleLines } from './paths.js'

const ts = '2026-01-01T00:00:00.000Z'

/**
 * Evaluates the published file as the host's worker does: strict, in a block, without `self` and `globalThis`.
 * @returns {(line: string, ts: string) => Record<string, unknown>[]}
 */
function loadAsTheHostDoes() {
  const source = readFileSync(fromRoot('dist/ui-parser.cjs'), 'utf8')
  const module = { exports: /** @type {any} */ ({}) }
  new Function('exports', 'module', 'self', 'globalThis', `"use strict";\n{\n${source}\n}`)(module.exports, module, undefined, undefined)
  return module.exports.parseStdoutLine
}

const parseStdoutLine = loadAsTheHostDoes()

/** @param {unknown} event */
const parse = (event) => parseStdoutLine(typeof event === 'string' ? event : JSON.stringify(event), ts)

/** @param {string} text */
const system = (text) => [{ kind: 'system', ts, text }]

/** @param {unknown[]} content */
const assistant = (...content) => ({ type: 'assistant', message: { content } })

/** @param {unknown[]} content */
const user = (...content) => ({ type: 'user', message: { content } })

test.each([
  ['plain text', 'hello'],
  ['a status line of the adapter', '[paperclip] keepalive — job claude-1 running (15s since last output)'],
  ['null', 'null'],
  ['a number', '1'],
  ['a string', '"x"'],
  ['an array', '[{"type":"result"}]'],
  ['an unknown type', '{"type":"novelty"}'],
  ['an unknown subtype', '{"type":"system","subtype":"novelty"}'],
  ['unknown blocks only', JSON.stringify(assistant({ type: 'server_tool_use' }))],
  ['empty texts only', JSON.stringify(assistant({ type: 'text', text: '' }))],
  ['an assistant without content', '{"type":"assistant"}'],
  ['a user with plain content', '{"type":"user","message":{"content":"text"}}'],
  ['a notice without content', '{"type":"system","subtype":"informational","content":""}'],
  ['a refusal without content', '{"type":"system","subtype":"model_refusal_no_fallback","content":""}'],
])('%s is shown unchanged', (_, line) => {
  expect(parse(line)).toEqual([{ kind: 'stdout', ts, text: line }])
})

test.each([
  ['init', { type: 'system', subtype: 'init', model: 'm', session_id: 's' }, [{ kind: 'init', ts, model: 'm', sessionId: 's' }]],
  ['an empty init', { type: 'system', subtype: 'init' }, [{ kind: 'init', ts, model: 'unknown', sessionId: '' }]],
  [
    'blocks of an assistant in their order',
    assistant(
      { type: 'thinking', thinking: 'hm' },
      { type: 'text', text: 'a' },
      { type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'ls' } },
      { type: 'text', text: '' },
      { type: 'text', text: 'a' },
      { type: 'tool_use', tool_use_id: 't2' },
      { type: 'tool_use' },
    ),
    [
      { kind: 'thinking', ts, text: 'hm' },
      { kind: 'assistant', ts, text: 'a' },
      { kind: 'tool_call', ts, name: 'Bash', input: { command: 'ls' }, toolUseId: 't1' },
      { kind: 'assistant', ts, text: 'a' },
      { kind: 'tool_call', ts, name: 'unknown', input: {}, toolUseId: 't2' },
      { kind: 'tool_call', ts, name: 'unknown', input: {}, toolUseId: undefined },
    ],
  ],
  [
    'texts and tool results of a user',
    user(
      { type: 'text', text: 'hi' },
      { type: 'tool_result', tool_use_id: 't1', content: 'out' },
      { type: 'tool_result', content: [{ type: 'text', text: 'a' }, { type: 'image' }, { type: 'text', text: 'b' }], is_error: true },
      { type: 'tool_result', tool_use_id: 't3', content: { odd: 1 } },
    ),
    [
      { kind: 'user', ts, text: 'hi' },
      { kind: 'tool_result', ts, toolUseId: 't1', content: 'out', isError: false },
      { kind: 'tool_result', ts, toolUseId: '', content: 'a\nb', isError: true },
      { kind: 'tool_result', ts, toolUseId: 't3', content: '', isError: false },
    ],
  ],
  [
    'a result',
    {
      type: 'result',
      subtype: 'success',
      result: 'done',
      total_cost_usd: 0.5,
      usage: { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 3 },
    },
    [
      {
        kind: 'result',
        ts,
        text: 'done',
        inputTokens: 1,
        outputTokens: 2,
        cachedTokens: 3,
        costUsd: 0.5,
        subtype: 'success',
        isError: false,
        errors: [],
      },
    ],
  ],
  [
    'an error result with errors of every shape',
    { type: 'result', is_error: true, usage: { input_tokens: '9' }, errors: ['a', '', { message: 'b' }, { message: '', error: 'c' }, { code: 'd' }, { x: 1 }, 7, null] },
    [
      {
        kind: 'result',
        ts,
        text: '',
        inputTokens: 0,
        outputTokens: 0,
        cachedTokens: 0,
        costUsd: 0,
        subtype: '',
        isError: true,
        errors: ['a', 'b', 'c', 'd', '{"x":1}'],
      },
    ],
  ],
  [
    'a rate limit',
    { type: 'rate_limit_event', rate_limit_info: { status: 'rejected', rateLimitType: 'five_hour', resetsAt: 1_767_225_600 } },
    system('Rate limit: type=five_hour status=rejected resets=2026-01-01T00:00:00.000Z'),
  ],
  [
    'a rate limit with an impossible time',
    { type: 'rate_limit_event', rate_limit_info: { status: 'allowed', resetsAt: 1e300 } },
    system('Rate limit: type=unknown status=allowed'),
  ],
  [
    'a retry after a status',
    { type: 'system', subtype: 'api_retry', attempt: 1, max_retries: 10, retry_delay_ms: 601, error_status: 529, error: 'overloaded' },
    system('API retry 1 of 10 in 601 ms: HTTP 529'),
  ],
  [
    'a retry without a status',
    { type: 'system', subtype: 'api_retry', attempt: 2, max_retries: 10, retry_delay_ms: 5, error_status: null, error: 'unknown' },
    system('API retry 2 of 10 in 5 ms: unknown'),
  ],
  ['a denied call', { type: 'system', subtype: 'permission_denied', tool_name: 'Bash', message: 'no' }, system('Permission denied: Bash: no')],
  ['a fallback', { type: 'system', subtype: 'model_fallback', content: 'Switched' }, system('Switched')],
  ['a started task', { type: 'system', subtype: 'task_started', description: 'sub' }, system('Task started: sub')],
  ['an ended task', { type: 'system', subtype: 'task_notification', status: 'completed', summary: 'ok' }, system('Task completed: ok')],
  [
    'a failed hook',
    { type: 'system', subtype: 'hook_response', hook_name: 'Stop', exit_code: 2, outcome: 'error', stderr: 'x'.repeat(600) },
    system(`Hook Stop failed (exit code 2): ${'x'.repeat(500)}`),
  ],
  [
    'a cancelled hook',
    { type: 'system', subtype: 'hook_response', hook_name: 'Stop', outcome: 'cancelled' },
    system('Hook Stop failed (no exit code)'),
  ],
  ['a compaction', { type: 'system', subtype: 'compact_boundary' }, system('Context compacted')],
  ['a reset', { type: 'conversation_reset' }, system('Conversation reset')],
])('%s becomes entries', (_, event, entries) => {
  expect(parse(event)).toEqual(entries)
})

test.each([
  { type: 'tool_progress' },
  { type: 'stream_event' },
  { type: 'system', subtype: 'hook_response', exit_code: 0, outcome: 'success' },
  ...['status', 'thinking_tokens', 'task_progress', 'task_updated', 'background_tasks_changed', 'hook_started'].map((subtype) => ({
    type: 'system',
    subtype,
  })),
])('heartbeats are hidden: %o', (event) => {
  expect(parse(event)).toEqual([])
})

test('pkg_01 every recorded line becomes entries that carry the time, and none is lost as raw text', () => {
  for (const { name, line } of sampleLines()) {
    const entries = parseStdoutLine(line, ts)
    expect(entries.every((entry) => entry['ts'] === ts)).toBe(true)
    const raw = entries.some((entry) => entry['kind'] === 'stdout')
    const { type, subtype, content, message } = JSON.parse(line)
    const nothingToShow = content === '' || (type === 'assistant' && message.content.every((/** @type {any} */ block) => !block.text && !block.thinking))
    const plainUserText = type === 'user' && typeof message.content === 'string'
    expect({ name, type, subtype, raw }).toEqual({ name, type, subtype, raw: raw && (nothingToShow || plainUserText) })
  }
})

test('pkg_01 no line makes it throw, and equal arguments give equal answers', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('utf8'))
  const anyJson = fc.json({ maxDepth: 4 })
  const block = fc.dictionary(fc.constantFrom('type', 'text', 'thinking', 'id', 'name', 'input', 'content', 'is_error'), fc.jsonValue())
  const event = fc
    .record({
      type: fc.constantFrom('system', 'assistant', 'user', 'result', 'rate_limit_event', 'conversation_reset', 'x'),
      subtype: fc.constantFrom('init', 'api_retry', 'hook_response', 'task_started', 'permission_denied', 'informational', 'x'),
      message: fc.oneof(fc.jsonValue(), fc.record({ content: fc.oneof(fc.jsonValue(), fc.array(block)) })),
      rate_limit_info: fc.jsonValue(),
      errors: fc.jsonValue(),
      usage: fc.jsonValue(),
      content: fc.jsonValue(),
    })
    .map((value) => JSON.stringify(value))
  fc.assert(
    fc.property(fc.oneof(bytes, anyJson, event), (line) => {
      const entries = parseStdoutLine(line, ts)
      expect(Array.isArray(entries)).toBe(true)
      expect(parseStdoutLine(line, ts)).toEqual(entries)
    }),
    { numRuns: 2_000 },
  )
})

test('log_01 no tool call is lost, whatever stands beside it and whatever it looks like', () => {
  const toolUse = fc.record({ type: fc.constant('tool_use'), id: fc.jsonValue(), name: fc.jsonValue(), input: fc.jsonValue() }, { requiredKeys: ['type'] })
  const other = fc.oneof(fc.jsonValue(), fc.record({ type: fc.constantFrom('text', 'thinking', 'x'), text: fc.jsonValue(), thinking: fc.jsonValue() }))
  fc.assert(
    fc.property(fc.array(fc.oneof(toolUse, other)), (content) => {
      const wanted = content.filter((block) => /** @type {any} */ (block)?.type === 'tool_use').length
      expect(parse(assistant(...content)).filter(({ kind }) => kind === 'tool_call')).toHaveLength(wanted)
    }),
  )
  for (const { name, line } of sampleLines()) {
    const { type, message } = JSON.parse(line)
    if (type !== 'assistant') continue
    const ids = message.content.filter((/** @type {any} */ block) => block.type === 'tool_use').map((/** @type {any} */ { id }) => id)
    expect(parseStdoutLine(line, ts).filter(({ kind }) => kind === 'tool_call').map(({ toolUseId }) => toolUseId), name).toEqual(ids)
  }
})

test('a line nested deeper than the engine can walk is shown unchanged', () => {
  const deep = `${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}`
  expect(parseStdoutLine(deep, ts)).toEqual([{ kind: 'stdout', ts, text: deep }])
  const inside = `{"type":"result","errors":[${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}]}`
  expect(parseStdoutLine(inside, ts)).toEqual([{ kind: 'stdout', ts, text: inside }])
})

test('Node imports it by name', async () => {
  const imported = await import('paperclip-adapter-claude-k8s/ui-parser')
  expect(Object.keys(imported)).toContain('parseStdoutLine')
})
