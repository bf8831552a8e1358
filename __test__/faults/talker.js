/** The stand-in CLI of the fault runs: what it prints, and how it gets into a pod. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const directory = fileURLToPath(new URL('../fixtures/talker/', import.meta.url))
const name = 'talker'
const image = 'localhost/talker:test'

/** How the last line of every container begins: its script prints it. */
export const endLine = '[paperclip] Container ended'

/**
 * What one container prints between `init` and the result.
 * @typedef {object} Talk
 * @property {number} lines
 * @property {'numbered' | 'same'} [kind] lines with their number, or lines that cannot be told apart
 * @property {string} [unit] pads each line
 * @property {number} [units] so often
 * @property {number} [batch] so many lines at once
 * @property {number} [pauseMs] between two batches
 * @property {number} [lingerSec] between the result and its end
 */

/** @param {Talk} talk */
export const complete = ({ kind = 'numbered', unit = 'x', units = 40, batch = 1, pauseMs = 0, lingerSec = 0, ...talk }) =>
  ({ ...talk, kind, unit, units, batch, pauseMs, lingerSec })

/** @param {Talk} talk @returns {Record<string, string>} environment of the pod */
export function environmentOf(talk) {
  const { lines, kind, unit, units, batch, pauseMs, lingerSec } = complete(talk)
  return {
    TALK_LINES: String(lines),
    TALK_KIND: kind,
    TALK_UNIT: unit,
    TALK_UNITS: String(units),
    TALK_BATCH: String(batch),
    TALK_PAUSE_MS: String(pauseMs),
    TALK_LINGER: String(lingerSec),
  }
}

/**
 * The lines that the container prints between `init` and the result, each as a function of its number from 1 on.
 * @param {Talk} talk
 * @returns {(number: number) => string}
 */
export function lineOf(talk) {
  const { kind, unit, units } = complete(talk)
  const tail = `,"pad":"${unit.repeat(units)}"}`
  return (number) => `{"type":"system","subtype":"${kind}","n":${kind === 'same' ? 0 : number}${tail}`
}

/**
 * Makes the program known to the cluster.
 * @param {import('../support/cluster.js').Cluster} cluster
 * @returns {Promise<Record<string, unknown>>} configuration of the runs that use it
 */
export async function installTalker(cluster) {
  if (cluster.is('simulator')) {
    await cluster.api.create('/_sim/images', { name: image, directory })
    return { image }
  }
  const data = { claude: readFileSync(`${directory}claude`, 'utf8') }
  await cluster.api.create(`/api/v1/namespaces/${cluster.namespace}/configmaps`, { metadata: { name }, data })
  const podTemplate = {
    spec: {
      volumes: [{ name, configMap: { name, defaultMode: 0o755 } }],
      containers: [{ name: 'claude', volumeMounts: [{ name, mountPath: '/usr/local/bin/claude', subPath: 'claude' }] }],
    },
  }
  return { podTemplate }
}
