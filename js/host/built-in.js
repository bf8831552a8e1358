/** Our equivalents of the host's utilities, under the host's names; used one by one where a host lacks a name. */

import { asArray, asObject, asText, isObject } from '../json.js'
import { renderPaperclipWakePrompt } from './built-in-wake.js'

/** @typedef {import('../types.d.ts').JsonObject} JsonObject */

const wakeReasonsThatRestartWork = [
  'issue_assigned',
  'issue_reopened_via_comment',
  'issue_recovery_action_restored',
  'issue_tree_restored',
]

/**
 * `{{a.b.c}}` becomes the value at that path: text as it is, other values as JSON, nothing for a missing one.
 * @param {string} template
 * @param {JsonObject} data
 * @returns {string}
 */
function renderTemplate(template, data) {
  return template.replace(/{{\s*([a-zA-Z0-9_.-]+)\s*}}/g, (_, path) => {
    /** @type {unknown} */
    let value = data
    for (const part of path.split('.')) value = isObject(value) ? value[part] : undefined
    if (value === null || value === undefined) return ''
    return typeof value === 'object' ? JSON.stringify(value) : String(value)
  })
}

/**
 * @param {unknown[]} sections
 * @param {string} [separator]
 */
function joinPromptSections(sections, separator = '\n\n') {
  return sections.flatMap((section) => asText(section) ?? []).join(separator)
}

/**
 * @param {unknown} value
 * @returns {string | null}
 */
function stringifyPaperclipWakePayload(value) {
  return isObject(value) && Object.keys(value).length > 0 ? JSON.stringify(value) : null
}

/** @param {unknown} value */
function isPaperclipRecoveryWakePayload(value) {
  const wake = asObject(value)
  return isObject(wake['recovery']) || wake['reason'] === 'source_scoped_recovery_action'
}

/**
 * The full task brief, or the compact one when the session has seen the full one already.
 * @param {JsonObject} context
 * @param {{ resumedSession?: boolean }} [options]
 * @returns {string}
 */
function selectPaperclipTaskMarkdown(context, { resumedSession = false } = {}) {
  const full = asText(context['paperclipTaskMarkdown']) ?? ''
  const wake = context['paperclipWake']
  const seen = resumedSession && isObject(wake) && !isPaperclipRecoveryWakePayload(wake)
  if (!seen || wakeReasonsThatRestartWork.includes(String(wake['reason']))) return full
  return (full && asText(context['paperclipTaskMarkdownCompact'])) ?? full
}

/**
 * @param {JsonObject} config
 * @param {Array<{ key: string, runtimeName?: string | null }>} available
 * @returns {string[]}
 */
function resolvePaperclipDesiredSkillNames(config, available) {
  const wished = asArray(asObject(config['paperclipSkillSync'])['desiredSkills'])
  const keys = wished.flatMap((wish) => {
    const reference = (asText(wish) ?? asText(asObject(wish)['key']))?.toLowerCase()
    return reference ? [keyOfReference(reference, available)] : []
  })
  return [...new Set(keys)]
}

/**
 * A wish names a key, a directory name or the last part of a key; the latter two only when they are unambiguous.
 * @param {string} reference
 * @param {Array<{ key: string, runtimeName?: string | null }>} available
 */
function keyOfReference(reference, available) {
  const lower = (/** @type {string | null | undefined} */ text) => text?.trim().toLowerCase()
  const exact = available.find(({ key }) => lower(key) === reference)
  if (exact) return exact.key
  for (const matches of [
    available.filter(({ runtimeName }) => lower(runtimeName) === reference),
    available.filter(({ key }) => lower(key)?.split('/').pop() === reference),
  ]) {
    if (matches.length === 1 && matches[0]) return matches[0].key
  }
  return reference
}

/**
 * @param {{ entries: Array<{ key: string, sourceStatus?: string, missingDetail?: string | null }>, desiredSkillKeys: ReadonlySet<string> }} input
 * @returns {string | null}
 */
function buildSkillLibraryManifestMarkdown({ entries, desiredSkillKeys }) {
  if (entries.length === 0) return null
  const sorted = [...entries].sort((left, right) => left.key.localeCompare(right.key))
  const lines = sorted.map(({ key, sourceStatus, missingDetail }) => {
    const name = oneLine(key)
    if (!desiredSkillKeys.has(key)) return `- ${name} — installed, not enabled for you`
    if (sourceStatus !== 'missing') return `- ${name} — enabled`
    return `- ${name} — enabled but unavailable${missingDetail ? `: ${oneLine(missingDetail)}` : ''}`
  })
  return [
    '## Company skill library',
    '',
    'Skills marked "enabled" are loaded into this run. The others exist in the company library but are not attached to',
    'you: say that they are installed but not enabled, and ask an operator to enable one that you need.',
    '',
    ...lines,
  ].join('\n')
}

/**
 * Skill authors write these texts: a newline would let them add lines to the instructions.
 * @param {string} text
 */
function oneLine(text) {
  return text.replace(/\s+/g, ' ').trim().slice(0, 200)
}

export const builtInUtilities = {
  DEFAULT_PAPERCLIP_AGENT_PROMPT_TEMPLATE: 'You are agent {{agent.id}} ({{agent.name}}). Continue your Paperclip work.',
  DEFAULT_PAPERCLIP_CONVERSATION_PROMPT_TEMPLATE:
    'You are agent {{agent.id}} ({{agent.name}}). Continue your Paperclip conversation.',
  renderTemplate,
  joinPromptSections,
  renderPaperclipWakePrompt,
  stringifyPaperclipWakePayload,
  isPaperclipRecoveryWakePayload,
  isPaperclipExternalChatTurn: (/** @type {unknown} */ _wake) => false,
  selectPaperclipTaskMarkdown,
  resolvePaperclipDesiredSkillNames,
  /** Hosts that lack it flag required skills in the entries instead; see `skills/select.js`. */
  resolveLegacyPaperclipDesiredSkillNames: resolvePaperclipDesiredSkillNames,
  buildSkillLibraryManifestMarkdown,
}
