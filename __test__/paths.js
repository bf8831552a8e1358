/** Where tests find things. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** @param {string} path relative to the root of the package */
export const fromRoot = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** Recorded runs of the real CLI: the whole collection of the core crate, or the few copied for JavaScript alone. */
export const samples = ['crates/core/tests/fixtures/samples', '__test__/fixtures/samples'].map(fromRoot).find((path) => existsSync(path)) ?? ''

/** Every recorded line, with the name of its run. */
export function sampleLines() {
  return readdirSync(samples)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) =>
      readFileSync(`${samples}/${name}`, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => ({ name, line })),
    )
}
