/**
 * The prompt, once for a fresh and once for a resumed session. Which one the CLI reads is decided once, natively,
 * together with `--resume` (PRM-11).
 *
 * ```text
 * bootstrap (fresh only) · wake · hand-off note · task brief · main template
 * ```
 */

import { asObject, asText } from '../json.js'

/** @typedef {import('../host/utilities.js').HostUtilities} HostUtilities */
/** @typedef {Pick<import('../types.d.ts').ExecutionContext, 'agent' | 'runId' | 'config' | 'context'>} PromptContext */

/** The CLI takes a prompt that starts with `/` as a command (docs/internals/claude.md 3). */
const lineBeforeSlash = '[Paperclip run prompt]'

/**
 * @param {HostUtilities} utilities
 * @param {PromptContext} ctx
 */
export function renderPrompts(utilities, ctx) {
  return {
    fresh: renderPrompt(utilities, ctx, { resumedSession: false }),
    resumed: renderPrompt(utilities, ctx, { resumedSession: true }),
  }
}

/**
 * @param {HostUtilities} utilities
 * @param {PromptContext} ctx
 * @param {{ resumedSession: boolean }} options
 * @returns {import('../types.d.ts').RenderedPrompt}
 */
function renderPrompt(utilities, ctx, { resumedSession }) {
  const { config, context } = ctx
  const wake = context['paperclipWake']
  const conversationMode = context['conversationMode'] === true
  const render = (/** @type {unknown} */ template) =>
    utilities.renderTemplate(asText(template) ?? '', placeholders(ctx)).trim()

  const bootstrap = resumedSession ? '' : render(config['bootstrapPromptTemplate'])
  const taskBrief = utilities.selectPaperclipTaskMarkdown(context, { resumedSession }).trim()
  const wakePrompt = utilities
    .renderPaperclipWakePrompt(wake, {
      resumedSession,
      conversationMode,
      suppressIssueDescription: taskBrief.length > 0, // the brief carries it
    })
    .trim()
  const handoff = asText(context['paperclipSessionHandoffMarkdown']) ?? ''

  const ownTemplate = asText(config['promptTemplate'])
  const wakeReplacesTemplate =
    (resumedSession && wakePrompt.length > 0) ||
    utilities.isPaperclipRecoveryWakePayload(wake) ||
    (ownTemplate === null && utilities.isPaperclipExternalChatTurn(wake))
  const heartbeat = wakeReplacesTemplate ? '' : render(ownTemplate ?? defaultTemplate(utilities, conversationMode))

  const text = guardSlash(utilities.joinPromptSections([bootstrap, wakePrompt, handoff, taskBrief, heartbeat]))
  return {
    text,
    metrics: {
      promptChars: text.length,
      bootstrapPromptChars: bootstrap.length,
      wakePromptChars: wakePrompt.length,
      sessionHandoffChars: handoff.length,
      taskContextChars: taskBrief.length,
      heartbeatPromptChars: heartbeat.length,
    },
  }
}

/**
 * @param {HostUtilities} utilities
 * @param {boolean} conversationMode
 */
function defaultTemplate(utilities, conversationMode) {
  return conversationMode
    ? utilities.DEFAULT_PAPERCLIP_CONVERSATION_PROMPT_TEMPLATE
    : utilities.DEFAULT_PAPERCLIP_AGENT_PROMPT_TEMPLATE
}

/** @param {PromptContext} ctx */
function placeholders({ agent, runId, context }) {
  return {
    agentId: agent.id,
    companyId: agent.companyId,
    runId,
    company: { id: agent.companyId },
    agent: asObject(agent),
    run: { id: runId, source: 'on_demand' },
    context,
  }
}

/** @param {string} prompt */
function guardSlash(prompt) {
  return prompt.trimStart().startsWith('/') ? `${lineBeforeSlash}\n\n${prompt}` : prompt
}
