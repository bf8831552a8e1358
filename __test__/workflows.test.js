/** What a stranger could change in a build that is published: nothing. `npm run lint:workflows` looks further. */

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { differences, digestsOf, expectedDigests } from '../scripts/release/digests.js'
import { fromRoot } from './paths.js'

const folder = fromRoot('.github/workflows')
const workflows = readdirSync(folder).map((file) => {
  const text = readFileSync(join(folder, file), 'utf8')
  return { file, text, content: parse(text) }
})
const steps = workflows.flatMap(({ file, content }) =>
  Object.values(content.jobs).flatMap((job) => job.steps.map((/** @type {any} */ step) => ({ file, step }))),
)

test('tru_28 every action is pinned by a commit, with its version beside it', () => {
  const used = workflows.flatMap(({ text }) => [...text.matchAll(/uses: (.*)/g)].map(([, action]) => action))
  expect(used.length).toBeGreaterThan(10)
  for (const action of used) expect(action).toMatch(/^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

test('tru_28 a checkout leaves no credentials behind, and no job writes unless it publishes', () => {
  for (const { step } of steps.filter(({ step }) => step.uses?.startsWith('actions/checkout@'))) {
    expect(step.with['persist-credentials']).toBe(false)
  }
  for (const { content } of workflows) {
    expect(content.permissions).toEqual({ contents: 'read' })
    const writers = Object.entries(content.jobs).filter(([, job]) => job.permissions)
    expect(writers.map(([name]) => name)).toEqual(content.jobs.publish ? ['publish'] : [])
  }
})

test('tru_28 no build reads a shared cache, and every tool that is installed has a version', () => {
  for (const { step } of steps.filter(({ step }) => step.uses)) {
    expect(step.uses).not.toMatch(/cache/)
    if (step.uses.startsWith('actions/setup-node@')) expect(step.with).toMatchObject({ 'package-manager-cache': false })
  }
  const installs = steps.flatMap(({ step }) => step.run?.match(/(?:rustup toolchain|pipx|cargo) install .*/g) ?? [])
  for (const install of installs) expect(install).toMatch(/\d+\.\d+\.\d+/)
  for (const install of installs.filter((text) => text.startsWith('cargo'))) expect(install).toContain('--locked')
})

test('tru_28 a file that was changed, left out or added between two jobs stops the release', () => {
  const files = mkdtempSync(join(tmpdir(), 'digests-'))
  mkdirSync(join(files, 'native-a'))
  const [first, second] = [join(files, 'native-a/a.node'), join(files, 'b.tgz')]
  writeFileSync(first, 'a')
  writeFileSync(second, 'b')
  const made = digestsOf([first, second])
  const outputs = JSON.stringify({ a: JSON.stringify(digestsOf([first])), b: JSON.stringify(digestsOf([second])) })
  expect(expectedDigests(outputs)).toEqual(made)
  expect(differences(made, digestsOf([first, second]))).toEqual([])
  expect(differences(made, digestsOf([first]))).toEqual(['b.tgz is missing.'])
  writeFileSync(second, 'c')
  expect(differences(made, digestsOf([first, second]))).toEqual([expect.stringContaining('b.tgz is not the file that was made')])
  writeFileSync(join(files, 'c.tgz'), 'c')
  expect(differences(made, digestsOf([first, join(files, 'c.tgz')]))).toContain('c.tgz was made by no earlier job.')
})
