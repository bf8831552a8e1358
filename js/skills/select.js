/** Which skills a run gets, and what the instructions say about the others. */

import { readSkillEntries } from './entries.js'

/** @typedef {import('../types.d.ts').SkillEntry} SkillEntry */

/**
 * @param {import('../host/utilities.js').HostUtilities} utilities
 * @param {import('../types.d.ts').JsonObject} config
 * @param {SkillEntry[]} entries
 * @returns {string[]} keys, required ones included even when nobody asked for them (PRM-09)
 */
export function desiredSkillKeys(utilities, config, entries) {
  const required = entries.filter((entry) => entry.required).map((entry) => entry.key)
  return [...new Set([...utilities.resolveLegacyPaperclipDesiredSkillNames(config, entries), ...required])]
}

/**
 * The part of a `RunRequest` that is about skills.
 * @param {import('../host/utilities.js').HostUtilities} utilities
 * @param {import('../types.d.ts').JsonObject} config
 */
export function selectSkills(utilities, config) {
  const entries = readSkillEntries(config)
  const desired = new Set(desiredSkillKeys(utilities, config, entries))
  const wanted = entries.filter((entry) => desired.has(entry.key))
  const known = new Set(entries.map((entry) => entry.key))
  return {
    skills: wanted.filter((entry) => !entry.missing).map(({ key, runtimeName, source }) => ({ key, runtimeName, source })),
    skillWarnings: [
      ...wanted.filter((entry) => entry.missing).map((entry) => `${unavailable(entry.key)}: ${missingDetail(entry)}`),
      ...[...desired].filter((key) => !known.has(key)).map(unavailable),
    ],
    skillLibrary: utilities.buildSkillLibraryManifestMarkdown({
      entries: entries.map(({ key, missing, missingDetail }) => ({
        key,
        sourceStatus: missing ? /** @type {const} */ ('missing') : /** @type {const} */ ('available'),
        missingDetail,
      })),
      desiredSkillKeys: desired,
    }),
  }
}

/** @param {string} key */
export function unavailable(key) {
  return `Desired skill "${key}" is not available from the Paperclip skills directory`
}

/** @param {SkillEntry} entry */
export function missingDetail({ missingDetail }) {
  return missingDetail ?? 'Paperclip cannot find the files of this skill.'
}
