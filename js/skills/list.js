/** `listSkills(ctx)`: what the skills page shows. Also the answer of `syncSkills`, because delivery happens at run time. */

import { readdir } from 'node:fs/promises'
import { posix } from 'node:path'

import { loadHostUtilities } from '../host/utilities.js'
import { asObject, asText } from '../json.js'
import { type } from '../identity.js'
import { readSkillEntries } from './entries.js'
import { desiredSkillKeys, missingDetail, unavailable } from './select.js'

/** @typedef {import('../types.d.ts').SkillSnapshotEntry} SnapshotEntry */
/** @typedef {import('../types.d.ts').SkillEntry} SkillEntry */

/** Mount path of the data volume unless configured; the pod's `HOME`. */
const defaultDataPath = '/paperclip'

/**
 * @param {{ config: Record<string, unknown> }} ctx
 * @returns {Promise<import('@paperclipai/adapter-utils').AdapterSkillSnapshot>}
 */
export async function listSkills(ctx) {
  const config = asObject(ctx.config)
  const available = readSkillEntries(config)
  const desired = desiredSkillKeys(await loadHostUtilities(), config, available)
  const unknown = desired.filter((key) => !available.some((entry) => entry.key === key))
  const home = posix.join(asText(config['workspaceMountPath']) ?? defaultDataPath, '.claude/skills')
  /** @type {SnapshotEntry[]} */
  const entries = [
    ...available.map((entry) => managedEntry(entry, desired.includes(entry.key))),
    ...unknown.map(unknownEntry),
    ...(await externalEntries(home, available)),
  ]
  return {
    adapterType: type,
    supported: true,
    mode: 'ephemeral',
    desiredSkills: desired,
    desiredSkillEntries: desired.map((key) => ({
      key,
      versionId: available.find((entry) => entry.key === key)?.versionId ?? null,
    })),
    entries: /** @type {import('@paperclipai/adapter-utils').AdapterSkillEntry[]} */ (
      entries.sort((left, right) => left.key.localeCompare(right.key))
    ),
    warnings: unknown.map((key) => `${unavailable(key)}.`),
  }
}

/**
 * @param {SkillEntry} entry
 * @param {boolean} desired
 * @returns {SnapshotEntry}
 */
function managedEntry(entry, desired) {
  const { key, runtimeName, versionId, currentVersionId, required, requiredReason } = entry
  const common = { key, runtimeName, versionId, currentVersionId, desired, managed: true, targetPath: null, readOnly: false }
  if (entry.missing) {
    return { ...common, state: 'missing', sourcePath: null, detail: missingDetail(entry), ...managedByPaperclip }
  }
  return {
    ...common,
    state: desired ? 'configured' : 'available',
    sourcePath: entry.source,
    detail: desired ? 'Will be mounted into the pod of each run.' : null,
    ...(required ? requiredByPaperclip : managedByPaperclip),
    ...(required && { required, ...(requiredReason && { requiredReason }) }),
  }
}

const managedByPaperclip = /** @type {const} */ ({ origin: 'company_managed', originLabel: 'Managed by Paperclip' })
const requiredByPaperclip = /** @type {const} */ ({ origin: 'paperclip_required', originLabel: 'Required by Paperclip' })

/**
 * @param {string} key
 * @returns {SnapshotEntry}
 */
function unknownEntry(key) {
  return {
    key,
    runtimeName: null,
    desired: true,
    managed: true,
    state: 'missing',
    origin: 'external_unknown',
    originLabel: 'External or unavailable',
    readOnly: false,
    sourcePath: null,
    targetPath: null,
    detail: 'Paperclip cannot find the files of this skill.',
  }
}

/**
 * Skills somebody put on the data volume. Every pod with this home sees them, so the page should too.
 * @param {string} home
 * @param {SkillEntry[]} available
 * @returns {Promise<SnapshotEntry[]>}
 */
async function externalEntries(home, available) {
  const names = await readdir(home).catch(() => []) // absent or not visible from here: none
  return names
    .filter((name) => !available.some((entry) => entry.runtimeName === name))
    .map((name) => ({
      key: name,
      runtimeName: name,
      desired: false,
      managed: false,
      state: 'external',
      origin: 'user_installed',
      originLabel: 'User-installed',
      locationLabel: '~/.claude/skills',
      readOnly: true,
      sourcePath: null,
      targetPath: posix.join(home, name),
      detail: 'Installed outside Paperclip management.',
    }))
}
