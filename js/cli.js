/** Entry `paperclip-adapter-claude-k8s/cli`: one line of the CLI's stream, printed for a terminal. */

import pc from 'picocolors'

import { asArray, asObject, asText, isObject } from './json.js'
import { toldApart, visible } from './terminal.js'

/** @typedef {import('./types.d.ts').JsonObject} JsonObject */
/** @typedef {(text: string) => string} Color */

/**
 * @param {string} line
 * @param {boolean} debug also prints events that have no form of their own
 */
export function printClaudeStreamEvent(line, debug) {
  const text = line.trim()
  if (text === '') return
  const event = parse(text)
  if (event === null) return console.log(visible(text)) // the log has told it apart already
  switch (event['type']) {
    case 'system':
      if (event['subtype'] === 'init') return printInit(event)
      break
    case 'assistant':
      return blocksOf(event).forEach(printAssistantBlock)
    case 'user':
      return blocksOf(event).forEach(printUserBlock)
    case 'result':
      return printResult(event)
    case 'rate_limit_event':
      return printRateLimit(asObject(event['rate_limit_info']))
  }
  if (debug) print(text, pc.gray)
}

/** @param {JsonObject} event */
function printInit(event) {
  const session = asText(event['session_id'])
  const model = asText(event['model']) ?? 'unknown'
  print(`Claude initialized (model: ${model}${session ? `, session: ${session}` : ''})`, pc.blue)
}

/** @param {JsonObject} block */
function printAssistantBlock(block) {
  switch (block['type']) {
    case 'text':
      return printNamed('assistant', block['text'], pc.green)
    case 'thinking':
      return printNamed('thinking', block['thinking'], pc.gray)
    case 'tool_use':
      print(`tool_call: ${asText(block['name']) ?? 'unknown'}`, pc.yellow)
      if (block['input'] !== undefined) print(toJson(block['input'], 2), pc.gray)
  }
}

/** @param {JsonObject} block */
function printUserBlock(block) {
  if (block['type'] !== 'tool_result') return
  const failed = block['is_error'] === true
  print(failed ? 'tool_result (error)' : 'tool_result', failed ? pc.red : pc.cyan)
  const text = textOf(block['content'])
  if (text !== '') print(text, failed ? pc.red : pc.gray)
}

/** @param {JsonObject} event */
function printResult(event) {
  const text = typeof event['result'] === 'string' ? event['result'] : ''
  if (text !== '') {
    print('result:', pc.green)
    print(text)
  }
  const subtype = asText(event['subtype']) ?? ''
  const failed = event['is_error'] === true
  const errors = asArray(event['errors']).map(errorText).filter(Boolean)
  if (subtype.startsWith('error') || failed || errors.length > 0) {
    print(`claude_result: subtype=${subtype || 'unknown'} is_error=${failed}`, pc.red)
    if (errors.length > 0) print(`claude_errors: ${errors.join(' | ')}`, pc.red)
  }
  const usage = asObject(event['usage'])
  const [input, output, cached] = ['input_tokens', 'output_tokens', 'cache_read_input_tokens'].map((key) => numberOf(usage[key]))
  const cost = numberOf(event['total_cost_usd']).toFixed(6)
  print(`tokens: in=${input} out=${output} cached=${cached} cost=$${cost}`, pc.blue)
}

/** @param {JsonObject} info */
function printRateLimit(info) {
  const resets = isoTime(info['resetsAt'])
  const kind = asText(info['rateLimitType']) ?? 'unknown'
  const status = asText(info['status']) ?? 'unknown'
  print(`rate_limit: type=${kind} status=${status}${resets ? ` resets=${resets}` : ''}`, pc.yellow)
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {Color} color
 */
function printNamed(name, value, color) {
  if (typeof value === 'string' && value !== '') print(`${name}: ${value}`, color)
}

/**
 * @param {string} text
 * @param {Color} [color]
 */
function print(text, color) {
  const shown = visible(toldApart(text))
  console.log(color ? color(shown) : shown)
}

/**
 * @param {string} text
 * @returns {JsonObject | null}
 */
function parse(text) {
  try {
    const value = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** @param {JsonObject} event */
function blocksOf(event) {
  return asArray(asObject(event['message'])['content']).map(asObject)
}

/**
 * @param {unknown} content
 * @returns {string}
 */
function textOf(content) {
  if (typeof content === 'string') return content
  const texts = asArray(content).map((part) => asObject(part)['text'])
  return texts.filter((text) => typeof text === 'string').join('\n')
}

/**
 * @param {unknown} item
 * @returns {string}
 */
function errorText(item) {
  if (typeof item === 'string') return item
  if (!isObject(item)) return ''
  return asText(item['message']) ?? asText(item['error']) ?? asText(item['code']) ?? toJson(item)
}

/** @param {unknown} value */
function numberOf(value) {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

/**
 * Epoch seconds as ISO time; `null` for anything that is no date, which a `Date` would answer with a throw.
 * @param {unknown} seconds
 */
function isoTime(seconds) {
  const date = new Date(typeof seconds === 'number' ? seconds * 1000 : Number.NaN)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}

/**
 * @param {unknown} value
 * @param {number} [indent]
 */
function toJson(value, indent) {
  try {
    return JSON.stringify(value, null, indent)
  } catch {
    return '(nested too deeply to print)'
  }
}
