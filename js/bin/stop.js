/** How a command ends early: one line on stderr that says what to do next, and an exit code. */

import { CommanderError } from 'commander'
import pc from 'picocolors'

import { messageOf } from '../json.js'
import { inLine } from '../terminal.js'

/** Wrong usage, a file that cannot be used. Failures of the cluster or of a run are 1. */
const usageExitCode = 2

/** Something the caller can correct. */
export class UsageError extends Error {}

/**
 * @param {unknown} error
 * @returns {number} the exit code
 */
export function stop(error) {
  // Help and version end with an error of code 0; the parser has printed its own text already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode
  sayError(messageOf(error))
  return error instanceof UsageError ? usageExitCode : 1
}

/** @param {string} text */
export function sayError(text) {
  console.error(`${pc.red('error:')} ${inLine(text)}`)
}
