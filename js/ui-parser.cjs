// CommonJS on purpose: the host ships this text to a browser worker and evaluates it as a function body (PKG-01).
'use strict'

/**
 * One line of the CLI's stream → entries of the host's transcript. A pure function: the host calls it out of order and
 * keeps the answers. No import, no state, no clock; whatever it does not know it hands back unchanged.
 */

/** @typedef {import('@paperclipai/adapter-utils').TranscriptEntry} TranscriptEntry */
/** @typedef {Record<string, any>} Event */

/**
 * @param {string} line
 * @param {string} ts
 * @returns {TranscriptEntry[]}
 */
function parseStdoutLine(line, ts) {
  try {
    const event = JSON.parse(line.replace(/^\ufeff/, '').replaceAll('\0', ''))
    const entries = isObject(event) ? parseEvent(event, ts) : null
    if (entries !== null) return entries
  } catch {
    // Not JSON, or nested beyond what the engine can walk.
  }
  return [{ kind: 'stdout', ts, text: line }]
}

/**
 * @param {Event} event
 * @param {string} ts
 * @returns {TranscriptEntry[] | null} `null`: show the line as it is; empty: hide it
 */
function parseEvent(event, ts) {
  switch (event.type) {
    case 'assistant':
      return orRaw(blocksOf(event).flatMap((block) => assistantBlock(block, ts)))
    case 'user':
      return orRaw(blocksOf(event).flatMap((block) => userBlock(block, ts)))
    case 'result':
      return [result(event, ts)]
    case 'system':
      return systemEvent(event, ts)
    case 'rate_limit_event':
      return [system(ts, rateLimit(asObject(event.rate_limit_info)))]
    case 'conversation_reset':
      return [system(ts, 'Conversation reset')]
    case 'tool_progress':
    case 'stream_event':
      return []
    default:
      return null
  }
}

/**
 * @param {Event} block
 * @param {string} ts
 * @returns {TranscriptEntry[]}
 */
function assistantBlock(block, ts) {
  switch (block.type) {
    case 'text':
      return filled(block.text) ? [{ kind: 'assistant', ts, text: block.text }] : []
    case 'thinking':
      return filled(block.thinking) ? [{ kind: 'thinking', ts, text: block.thinking }] : []
    case 'tool_use':
      return [
        {
          kind: 'tool_call',
          ts,
          name: textOr(block.name, 'unknown'),
          input: block.input ?? {},
          toolUseId: textOr(block.id, textOr(block.tool_use_id, undefined)),
        },
      ]
    default:
      return []
  }
}

/**
 * @param {Event} block
 * @param {string} ts
 * @returns {TranscriptEntry[]}
 */
function userBlock(block, ts) {
  switch (block.type) {
    case 'text':
      return filled(block.text) ? [{ kind: 'user', ts, text: block.text }] : []
    case 'tool_result':
      return [
        {
          kind: 'tool_result',
          ts,
          toolUseId: textOr(block.tool_use_id, ''),
          content: contentText(block.content),
          isError: block.is_error === true,
        },
      ]
    default:
      return []
  }
}

/**
 * @param {Event} event
 * @param {string} ts
 * @returns {TranscriptEntry}
 */
function result(event, ts) {
  const usage = asObject(event.usage)
  return {
    kind: 'result',
    ts,
    text: textOr(event.result, ''),
    inputTokens: numberOr0(usage.input_tokens),
    outputTokens: numberOr0(usage.output_tokens),
    cachedTokens: numberOr0(usage.cache_read_input_tokens),
    costUsd: numberOr0(event.total_cost_usd),
    subtype: textOr(event.subtype, ''),
    isError: event.is_error === true,
    errors: asArray(event.errors).map(errorText).filter(filled),
  }
}

/**
 * @param {Event} event
 * @param {string} ts
 * @returns {TranscriptEntry[] | null}
 */
function systemEvent(event, ts) {
  switch (event.subtype) {
    case 'init':
      return [{ kind: 'init', ts, model: textOr(event.model, 'unknown'), sessionId: textOr(event.session_id, '') }]
    case 'api_retry':
      return [system(ts, apiRetry(event))]
    case 'permission_denied':
      return [system(ts, named(`Permission denied: ${textOr(event.tool_name, 'unknown tool')}`, event.message))]
    case 'model_fallback':
    case 'informational':
    case 'model_refusal_no_fallback':
      return filled(event.content) ? [system(ts, event.content)] : null
    case 'task_started':
      return [system(ts, named('Task started', event.description))]
    case 'task_notification':
      return [system(ts, named(`Task ${textOr(event.status, 'ended')}`, event.summary))]
    case 'hook_response':
      return hookFailed(event) ? [system(ts, failedHook(event))] : []
    case 'compact_boundary':
      return [system(ts, 'Context compacted')]
    case 'status':
    case 'thinking_tokens':
    case 'task_progress':
    case 'task_updated':
    case 'background_tasks_changed':
    case 'hook_started':
      return []
    default:
      return null
  }
}

/** @param {Event} info */
function rateLimit(info) {
  const resets = isoTime(info.resetsAt)
  const suffix = resets === null ? '' : ` resets=${resets}`
  return `Rate limit: type=${textOr(info.rateLimitType, 'unknown')} status=${textOr(info.status, 'unknown')}${suffix}`
}

/** @param {Event} event */
function apiRetry(event) {
  const cause = Number.isFinite(event.error_status) ? `HTTP ${event.error_status}` : textOr(event.error, 'unknown error')
  return `API retry ${numberOr0(event.attempt)} of ${numberOr0(event.max_retries)} in ${numberOr0(event.retry_delay_ms)} ms: ${cause}`
}

/** @param {Event} event */
function hookFailed(event) {
  const exited = event.exit_code !== undefined && event.exit_code !== null && event.exit_code !== 0
  const judged = event.outcome !== undefined && event.outcome !== 'success'
  return exited || judged
}

/** @param {Event} event */
function failedHook(event) {
  const name = textOr(event.hook_name, textOr(event.hook_event, 'unknown'))
  const code = event.exit_code === undefined || event.exit_code === null ? 'no exit code' : `exit code ${event.exit_code}`
  return named(`Hook ${name} failed (${code})`, textOr(event.stderr, '').slice(0, 500).trim())
}

/**
 * @param {string} title
 * @param {unknown} detail
 */
function named(title, detail) {
  return filled(detail) ? `${title}: ${detail}` : title
}

/**
 * @param {string} ts
 * @param {string} text
 * @returns {TranscriptEntry}
 */
function system(ts, text) {
  return { kind: 'system', ts, text }
}

/**
 * Unknown blocks only: show the line rather than lose it.
 * @param {TranscriptEntry[]} entries
 */
function orRaw(entries) {
  return entries.length > 0 ? entries : null
}

/** @param {Event} event */
function blocksOf(event) {
  return asArray(asObject(event.message).content).filter(isObject)
}

/**
 * @param {unknown} content
 * @returns {string}
 */
function contentText(content) {
  if (typeof content === 'string') return content
  const texts = asArray(content).map((part) => asObject(part).text)
  return texts.filter((text) => typeof text === 'string').join('\n')
}

/**
 * @param {unknown} item
 * @returns {string}
 */
function errorText(item) {
  if (typeof item === 'string') return item
  if (!isObject(item)) return ''
  return [item.message, item.error, item.code].find(filled) ?? JSON.stringify(item)
}

/**
 * Epoch seconds; `null` for anything that is no date.
 * @param {unknown} seconds
 */
function isoTime(seconds) {
  const date = new Date(typeof seconds === 'number' ? seconds * 1000 : Number.NaN)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

/**
 * @param {unknown} value
 * @returns {value is Event}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * @param {unknown} value
 * @returns {Event}
 */
function asObject(value) {
  return isObject(value) ? value : {}
}

/**
 * @param {unknown} value
 * @returns {unknown[]}
 */
function asArray(value) {
  return Array.isArray(value) ? value : []
}

/**
 * @param {unknown} value
 * @returns {value is string}
 */
function filled(value) {
  return typeof value === 'string' && value.length > 0
}

/**
 * @template T
 * @param {unknown} value
 * @param {T} fallback
 */
function textOr(value, fallback) {
  return filled(value) ? value : fallback
}

/** @param {unknown} value */
function numberOr0(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

module.exports = { parseStdoutLine }
