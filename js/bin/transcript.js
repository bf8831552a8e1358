/** The output of a run on a terminal, while it arrives. */

import pc from 'picocolors'

import { printClaudeStreamEvent } from '../cli.js'
import { visible } from '../terminal.js'

/** What the adapter writes itself starts with this. */
const statusPrefix = '[paperclip] '

/**
 * @param {object} options
 * @param {boolean} options.debug also print events that have no form of their own
 * @param {boolean} options.quiet stdout belongs to the result: print only the adapter's own lines, on stderr
 */
export function transcriptPrinter({ debug, quiet }) {
  /** Text after the last line break, for each stream. */
  const rest = { stdout: '', stderr: '' }
  /** @type {(text: string) => void} */
  const status = (text) => (quiet ? console.error : console.log)(pc.dim(visible(text.replace(/\n/g, ' '))))

  /**
   * @param {'stdout' | 'stderr'} stream
   * @param {string} line
   */
  const print = (stream, line) => {
    if (stream === 'stderr') console.error(pc.dim(visible(line)))
    else if (line.startsWith(statusPrefix)) status(line)
    else if (!quiet) printClaudeStreamEvent(line, debug)
  }

  return {
    status,
    /**
     * Chunks are cut anywhere; lines are printed when they are complete.
     * @param {'stdout' | 'stderr'} stream
     * @param {string} chunk
     */
    write(stream, chunk) {
      const lines = (rest[stream] + chunk).split('\n')
      rest[stream] = lines.pop() ?? ''
      for (const line of lines) print(stream, line)
    },
    /** A last line without line break. */
    end() {
      if (rest.stdout !== '') print('stdout', rest.stdout)
      if (rest.stderr !== '') print('stderr', rest.stderr)
    },
  }
}
