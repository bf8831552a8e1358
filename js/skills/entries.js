/** `config.paperclipRuntimeSkills`: the skills the host offers, with the members of every host version. */

import { asArray, asObject, asText } from '../json.js'

/**
 * @param {import('../types.d.ts').JsonObject} config
 * @returns {import('../types.d.ts').SkillEntry[]}
 */
export function readSkillEntries(config) {
  return asArray(config['paperclipRuntimeSkills']).flatMap((value) => {
    const raw = asObject(value)
    const key = asText(raw['key']) ?? asText(raw['name'])
    const runtimeName = asText(raw['runtimeName']) ?? asText(raw['name'])
    const source = asText(raw['source'])
    if (key === null || runtimeName === null || source === null) return []
    return [
      {
        key,
        runtimeName,
        source,
        versionId: asText(raw['versionId']),
        currentVersionId: asText(raw['currentVersionId']),
        missing: raw['sourceStatus'] === 'missing',
        missingDetail: asText(raw['missingDetail']),
        required: raw['required'] === true,
        requiredReason: asText(raw['requiredReason']),
      },
    ]
  })
}
