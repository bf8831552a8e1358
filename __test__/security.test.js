/** The promises of SECURITY.md, and the tests that carry out the attacks. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import { expect, test } from 'vitest'

import { fromRoot } from './paths.js'

const path = fromRoot('SECURITY.md')
const between = /(<!-- promises:[^>]*-->\n)([^]*?)(<!-- end of promises -->)/

/** What is promised across each boundary, and the rules that keep it. @type {[string, string, string[]][]} */
const promises = [
  ['tenant → server', 'No configuration of an agent makes the server run a program, read a file for somebody, or use credentials of its own for a tenant.', ['TRU-01', 'TRU-02', 'TRU-05']],
  ['API server → server', 'A server that a kubeconfig names may waste one run: what it answers is bounded.', ['TRU-03']],
  ['agent → server', 'Nothing an agent can write makes the server read, write or delete a file outside the place meant.', ['TRU-04', 'TRU-06', 'TRU-07', 'TRU-10']],
  ['agent → server', 'Nothing an agent can write runs code in the server.', ['TRU-27']],
  ['agent → server', 'The server believes of an agent only what an agent can know, within bounds, and acts on nothing else it says.', ['TRU-20', 'TRU-21']],
  ['agent → server', 'Whatever an agent prints, the server keeps a bounded amount of it.', ['TRU-23']],
  ['agent → operator', 'What an agent prints reaches a terminal as text, and is told from what the adapter says.', ['TRU-24']],
  ['agent → agent', "One agent's files, prompt, instructions, skills, home and credentials are out of reach of another agent's pod, unless the operator shares them.", ['TRU-06', 'TRU-07', 'TRU-08', 'TRU-09', 'TRU-10', 'TRU-11']],
  ["agent → server's data", "The server's keys, database, logs, plug-ins and configuration are visible in no pod, and the environment test says what is.", ['TRU-09', 'TRU-12']],
  ['server → agent', 'A pod gets of the environment, the identity and the volumes of the server what its run needs and what is named.', ['TRU-13', 'TRU-14', 'TRU-15', 'TRU-16', 'TRU-17', 'TRU-18']],
  ['server → log', 'Known secrets leave the adapter in no text, however they are written or cut.', ['TRU-22']],
  ['repository → credentials', "A repository's settings send neither a request nor a credential elsewhere; a gateway of the home stays the only receiver of its token.", ['TRU-25', 'TRU-26']],
  ['cluster → everybody', 'An operator can bound what pods of agents may use, by means of the cluster.', ['TRU-19']],
  ['supply chain', 'What is published is what was built, by pinned tools with the least rights; the promises above are checked against their tests.', ['TRU-28', 'TRU-29']],
]

/** @param {string} folder @returns {string[]} */
const filesIn = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(folder, entry.name)) : [join(folder, entry.name)],
  )

const sources = ['__test__', 'crates/core', 'crates/cluster', 'crates/testkit']
  .flatMap((folder) => filesIn(fromRoot(folder)))
  .filter((file) => /\.(rs|test\.js)$/.test(file) && !file.endsWith('/invariants.test.js'))
  .map((file) => ({ file: relative(fromRoot('.'), file), text: readFileSync(file, 'utf8') }))

/** The files whose tests carry a rule in their name. @param {string} id */
function provenBy(id) {
  const [area = '', number = ''] = id.split('-')
  const named = new RegExp(`(fn ${area}_${number}_|['"\`][^'"\`\\n]*\\b${area}[-_]${number}\\b)`, 'i')
  const listed = /** @param {{ file: string, text: string }} source */ ({ file, text }) =>
    file !== '__test__/security.test.js' && named.test(file.endsWith('.rs') ? text.replace(/^\s*\/\/.*$/gm, '') : text)
  return sources.filter(listed).map(({ file }) => file)
}

test('TRU-29: each promise of SECURITY.md names its rules, and each rule the tests that carry out the attack', () => {
  const rows = promises.map(([boundary, promise, ids]) => {
    const files = [...new Set(ids.filter((id) => id !== 'TRU-29').flatMap(provenBy))].sort()
    return `| ${boundary} | ${promise} | ${ids.join(', ')} | ${files.map((file) => `[${file.split('/').slice(-2).join('/')}](${file})`).join(', ')} |`
  })
  const expected = ['| boundary | promise | rules | tests |', '|---|---|---|---|', ...rows, ''].join('\n')
  if (process.env['UPDATE_DOCS']) {
    writeFileSync(path, readFileSync(path, 'utf8').replace(between, (_, start, __, end) => `${start}${expected}${end}`))
  }
  const [, , written = ''] = between.exec(readFileSync(path, 'utf8')) ?? []
  expect(written, 'run this test with UPDATE_DOCS=1').toBe(expected)

  const invariants = readFileSync(fromRoot('docs/internals/invariants.md'), 'utf8')
  const rules = [...invariants.matchAll(/^\| (TRU-\d\d) \|/gm)].map(([, id = '']) => id)
  expect([...new Set(promises.flatMap(([, , ids]) => ids))].sort()).toEqual(rules)
  expect(rules.filter((id) => id !== 'TRU-29' && provenBy(id).length === 0), 'rules without an attack').toEqual([])
})
