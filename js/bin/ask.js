/** A question before something is deleted. */

import { createInterface } from 'node:readline/promises'

import { UsageError } from './stop.js'

/**
 * @param {string} question
 * @param {boolean} [yes] answered beforehand
 * @returns {Promise<boolean>}
 */
export async function ask(question, yes) {
  if (yes) return true
  if (!process.stdin.isTTY) throw new UsageError('nobody can be asked here: add `--yes`')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
