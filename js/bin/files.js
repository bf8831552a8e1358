/** Files that a command is given. */

import { readFileSync } from 'node:fs'

import { parse } from 'yaml'

import { isObject, messageOf } from '../json.js'
import { UsageError } from './stop.js'

/**
 * The adapter configuration in a file; JSON is YAML.
 * @param {string} path
 * @returns {import('../types.d.ts').JsonObject}
 */
export function readConfiguration(path) {
  const config = parsed(readText('--config', path), path)
  if (!isObject(config)) {
    throw new UsageError(`\`${path}\` is not an object: write one \`key: value\` per line, see docs/configuration.md`)
  }
  return config
}

/**
 * @param {string} path
 * @returns {string}
 */
export function readPrompt(path) {
  const prompt = readText('--prompt-file', path)
  if (prompt.trim() === '') throw new UsageError(`\`${path}\` is empty: write what the agent shall do into it`)
  return prompt
}

/** @param {string} path `-` is the standard input */
export const readAgents = (path) => readText('--agents', path === '-' ? 0 : path)

/**
 * @param {string} option
 * @param {string | 0} path 0 is the standard input
 */
function readText(option, path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`\`${option}\` cannot be read: ${messageOf(error)}; name an existing file`)
  }
}

/**
 * @param {string} text
 * @param {string} path
 * @returns {unknown}
 */
function parsed(text, path) {
  try {
    return parse(text)
  } catch (error) {
    const [what = ''] = messageOf(error).split('\n')
    throw new UsageError(`\`${path}\` is neither YAML nor JSON: ${what.replace(/:$/, '')}; correct it there`)
  }
}
