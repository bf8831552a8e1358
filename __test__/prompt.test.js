import fc from 'fast-check'
import { expect, test } from 'vitest'

import { builtInUtilities } from '../js/host/built-in.js'
import { loadHostUtilities } from '../js/host/utilities.js'
import { renderPrompts } from '../js/prompt/render.js'

const newest = await loadHostUtilities(import.meta.filename)
const agent = { id: 'agent-1', companyId: 'company-1', name: 'Ada', adapterType: 'claude_k8s', adapterConfig: {} }

const wake = {
  reason: 'issue_commented',
  issue: { id: 'i-1', identifier: 'PAP-1', title: 'Fix the roof', description: 'WAKE-DESCRIPTION', status: 'todo', priority: 'high' },
  comments: [{ id: 'c-1', body: 'COMMENT-BODY', author: { type: 'user', name: 'Grace' }, createdAt: '2026-01-01T00:00:00.000Z' }],
  commentIds: ['c-1'],
  latestCommentId: 'c-1',
}

/**
 * @param {Record<string, unknown>} context
 * @param {Record<string, unknown>} [config]
 * @param {import('../js/host/utilities.js').HostUtilities} [utilities]
 */
const render = (context, config = {}, utilities = newest) => renderPrompts(utilities, { agent, runId: 'run-1', config, context })

/**
 * @param {string} text
 * @param {string[]} parts
 */
function expectInOrder(text, ...parts) {
  const places = parts.map((part) => text.indexOf(part))
  expect(places.includes(-1), `one of ${parts} is missing in ${text}`).toBe(false)
  expect([...places].sort((left, right) => left - right)).toEqual(places)
}

const everything = {
  context: {
    paperclipWake: wake,
    paperclipSessionHandoffMarkdown: ' HANDOFF ',
    paperclipTaskMarkdown: 'BRIEF-FULL',
    paperclipTaskMarkdownCompact: 'BRIEF-COMPACT',
  },
  config: { bootstrapPromptTemplate: 'BOOTSTRAP {{company.id}}', promptTemplate: 'MAIN {{agent.name}} {{run.id}} {{run.source}} {{context.paperclipWake.issue.title}}' },
}

test.each([
  ['the current host', newest],
  ['a host without any of the names', builtInUtilities],
])('prm_11 with %s a fresh prompt has every section in order, a resumed one only what is new', (_, utilities) => {
  const { fresh, resumed } = render(everything.context, everything.config, utilities)
  expectInOrder(fresh.text, 'BOOTSTRAP company-1', 'COMMENT-BODY', 'HANDOFF', 'BRIEF-FULL', 'MAIN Ada run-1 on_demand Fix the roof')
  expectInOrder(resumed.text, 'COMMENT-BODY', 'HANDOFF', 'BRIEF-COMPACT')
  for (const absent of ['BOOTSTRAP', 'MAIN', 'BRIEF-FULL']) expect(resumed.text).not.toContain(absent)
  for (const { text } of [fresh, resumed]) {
    expect(text).not.toContain('WAKE-DESCRIPTION') // the brief carries it
    expect(text).toContain(' Fix the roof')
    expect(text.trim()).toBe(text)
  }
})

test.each([
  ['the current host', newest],
  ['a host without any of the names', builtInUtilities],
])('prm_11 with %s a wake without a brief carries the description itself', (_, utilities) => {
  expect(render({ paperclipWake: wake }, {}, utilities).fresh.text).toContain('WAKE-DESCRIPTION')
})

test('prm_11 a resumed run that restarts work gets the full brief again', () => {
  const context = { ...everything.context, paperclipWake: { ...wake, reason: 'issue_assigned' } }
  for (const utilities of [newest, builtInUtilities]) expect(render(context, {}, utilities).resumed.text).toContain('BRIEF-FULL')
})

test('prm_11 the main template is left out exactly when the wake replaces it', () => {
  const config = { promptTemplate: 'MAIN' }
  const recovery = { ...wake, reason: 'source_scoped_recovery_action' }
  const cases = /** @type {const} */ ([
    [{}, true, true],
    [{ paperclipWake: wake }, true, false],
    [{ paperclipWake: recovery }, false, false],
    [{ paperclipTaskMarkdown: 'BRIEF' }, true, true],
  ])
  for (const [context, inFresh, inResumed] of cases) {
    const { fresh, resumed } = render(context, config)
    expect([fresh.text.includes('MAIN'), resumed.text.includes('MAIN')]).toEqual([inFresh, inResumed])
  }
})

test('the default template is the host’s, and its conversation template in conversations', () => {
  expect(render({}).fresh.text).toContain('You are agent agent-1 (Ada). Continue your Paperclip work.')
  expect(render({ conversationMode: true }).fresh.text).toContain('Continue your Paperclip conversation')
  expect(render({}, {}, builtInUtilities).fresh.text).toBe('You are agent agent-1 (Ada). Continue your Paperclip work.')
})

test('the metrics count the characters of each section', () => {
  const { metrics, text } = render(everything.context, everything.config).fresh
  expect(metrics).toEqual({
    promptChars: text.length,
    bootstrapPromptChars: 'BOOTSTRAP company-1'.length,
    wakePromptChars: expect.any(Number),
    sessionHandoffChars: 'HANDOFF'.length,
    taskContextChars: 'BRIEF-FULL'.length,
    heartbeatPromptChars: 'MAIN Ada run-1 on_demand Fix the roof'.length,
  })
  expect(Object.values(metrics).reduce((sum, count) => sum + count, 0)).toBe(2 * text.length - 4 * '\n\n'.length)
})

test.each(['/clear', ' /clear now', '\n\n/x'])('prm_10 a prompt that starts with %j gets a line before it', (promptTemplate) => {
  expect(render({}, { promptTemplate }).fresh.text).toBe(`[Paperclip run prompt]\n\n${promptTemplate.trim()}`)
})

test('prm_10 no prompt ever starts with a slash, and text is taken literally', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('/', ' ', '\n', '$', '\\', '%', '`', '{', '}', 'a') }))
  fc.assert(
    fc.property(text, text, fc.boolean(), (template, brief, ownWake) => {
      const context = { paperclipTaskMarkdown: brief, ...(ownWake && { paperclipWake: wake }) }
      for (const utilities of [newest, builtInUtilities]) {
        const { fresh, resumed } = render(context, { promptTemplate: template }, utilities)
        for (const prompt of [fresh, resumed]) expect(prompt.text.trimStart().startsWith('/')).toBe(false)
        expect(fresh.text).toContain(brief.trim())
      }
    }),
  )
  const literal = String.raw`$& $1 \c %s $(HOME) ${'`id`'}`
  expect(render({ paperclipWake: { issue: { title: literal } } }, { promptTemplate: '{{context.paperclipWake.issue.title}}' }).fresh.text).toContain(literal)
})

test('an empty prompt stays empty: the native side refuses it', () => {
  const utilities = { ...builtInUtilities, DEFAULT_PAPERCLIP_AGENT_PROMPT_TEMPLATE: ' ' }
  expect(render({}, {}, utilities).fresh.text).toBe('')
})
