/** The objects of `deploy/`, read from the very files that operators apply. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { parseAllDocuments } from 'yaml'

const folder = fileURLToPath(new URL('../../deploy/', import.meta.url))

/** Name of the service account and of its Role in `deploy/`. */
export const accountName = 'paperclip'

/** @typedef {{ apiGroups: string[], resources: string[], resourceNames?: string[], verbs: string[] }} RoleRule */

/** Where each kind is created, below `/apis/GROUP/VERSION/namespaces/NAMESPACE/`. */
const plurals = new Map([
  ['ServiceAccount', 'serviceaccounts'],
  ['Role', 'roles'],
  ['RoleBinding', 'rolebindings'],
])

/**
 * @returns {{ plural: string, object: any }[]} in the order of the files' names
 */
export function deployObjects() {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    .sort()
    .flatMap((name) => parseAllDocuments(readFileSync(folder + name, 'utf8')).map((document) => document.toJS()))
    .map((object) => {
      const plural = plurals.get(object.kind)
      if (!plural) throw new Error(`\`deploy/\` has a ${object.kind}; tell __test__/support/manifests.js its plural.`)
      return { plural, object }
    })
}

/**
 * The Role without one verb.
 * @param {RoleRule[]} rules
 * @param {string} resource
 * @param {string} verb
 */
export const withoutVerb = (rules, resource, verb) =>
  rules
    .map((rule) => (rule.resources.includes(resource) ? { ...rule, verbs: rule.verbs.filter((other) => other !== verb) } : rule))
    .filter((rule) => rule.verbs.length > 0)

/** The Role in the README of 0.1.54. @type {RoleRule[]} */
export const oldRole = [
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'get', 'list', 'delete'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
  { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
  { apiGroups: [''], resources: ['persistentvolumeclaims', 'secrets'], verbs: ['get'] },
]
