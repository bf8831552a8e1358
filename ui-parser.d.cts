/** Transcript parser for the host's user interface: a pure function in one CommonJS file. */

import type { TranscriptEntry } from '@paperclipai/adapter-utils' with { 'resolution-mode': 'import' }

/**
 * @param line one trimmed line of a run's output
 * @param ts its time; every entry carries it unchanged
 * @returns what to show instead of the line: nothing for heartbeats, the line itself when it is unknown. Never throws.
 */
export declare function parseStdoutLine(line: string, ts: string): TranscriptEntry[]
