/** `logs`: the transcript of one run, from its pod. */

import { writeFileSync } from 'node:fs'

import { asShown, visible } from '../terminal.js'
import { transcriptPage } from './html.js'
import { operate } from './operation.js'
import { UsageError } from './stop.js'
import { transcriptPrinter } from './transcript.js'

/**
 * @param {string} word
 * @param {import('./operation.js').ClusterOptions & { follow?: boolean, raw?: boolean, since?: number, html?: string }} options
 */
export async function logs(word, options) {
  const { follow, raw, since, html, json } = options
  if (html !== undefined && follow) throw new UsageError('`--html` writes a page once; leave out `-f`')
  const { write, end } = html === undefined ? (raw || json ? rawPrinter() : transcriptPrinter({ debug: false, quiet: false })) : page(word, html)
  /** @type {{ complete: boolean, gaps: unknown[] } | null} */
  const answer = await operate(options, { name: 'log', word, follow: follow === true, sinceSeconds: since }, { onLog: write })
  end()
  if (answer && answer.gaps.length > 0) console.error(`warning: ${answer.gaps.length} part(s) of the log are missing; the node rotated them away or they could not be read`)
}

/** The lines of the CLI, as they are: for another program. A terminal shows control characters as signs. */
function rawPrinter() {
  return {
    /** @param {'stdout' | 'stderr'} stream @param {string} chunk */
    write(stream, chunk) {
      if (stream === 'stdout') process.stdout.write(asShown(chunk))
      else process.stderr.write(visible(chunk))
    },
    end() {},
  }
}

/**
 * @param {string} title
 * @param {string} path
 */
function page(title, path) {
  /** @type {{ stdout: string, stderr: string }} */
  const text = { stdout: '', stderr: '' }
  return {
    /** @param {'stdout' | 'stderr'} stream @param {string} chunk */
    write(stream, chunk) {
      text[stream] += chunk
    },
    end() {
      try {
        writeFileSync(path, transcriptPage(title, text.stdout, text.stderr))
      } catch (error) {
        throw new UsageError(`\`--html ${path}\` cannot be written: ${error instanceof Error ? error.message : error}; name another file`)
      }
      console.log(`Wrote ${path}`)
    },
  }
}
