/**
 * One self-contained, readable file per entry: the host's reload re-reads only the entry, and a module graph that is
 * half old and half new must not exist.
 */

import { readFile } from 'node:fs/promises'

/**
 * The transcript parser is a single file already and must stay CommonJS text: it is copied, not bundled.
 * @type {import('rolldown').Plugin}
 */
const copyUiParser = {
  name: 'copy-ui-parser',
  async generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'ui-parser.cjs', source: await readFile('js/ui-parser.cjs', 'utf8') })
  },
}

/**
 * @param {string} name
 * @param {string} [file]
 * @returns {import('rolldown').RolldownOptions & { output: import('rolldown').OutputOptions }}
 */
const entry = (name, file = `js/${name}.js`) => ({
  input: { [name]: file },
  // `rbac` prints the files of `deploy/`.
  moduleTypes: { '.yaml': 'text' },
  platform: 'node',
  plugins: name === 'index' ? [copyUiParser] : [],
  output: { dir: 'dist', format: 'esm', minify: false },
})

export default [entry('index'), entry('server'), entry('cli'), entry('bin', 'js/bin/main.js')]
