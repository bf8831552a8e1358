/** `rbac`: the files of `deploy/`, which the bundle carries as text. */

import { parseDocument } from 'yaml'

import role from '../../deploy/role.yaml'
import binding from '../../deploy/rolebinding.yaml'
import account from '../../deploy/serviceaccount.yaml'
import { UsageError } from './stop.js'

/** What the API server accepts as the name of a namespace and, without dots, of an account. */
const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/

/** @param {{ namespace?: string, serviceAccount?: string }} options */
export function printPermissions({ namespace, serviceAccount }) {
  for (const [option, name] of Object.entries({ '--namespace': namespace, '--service-account': serviceAccount })) {
    if (name !== undefined && !dnsLabel.test(name)) {
      throw new UsageError(`\`${option} ${name}\` is no Kubernetes name: use lower-case letters, digits and \`-\``)
    }
  }
  const files = [account, role, binding]
  process.stdout.write(files.map((file) => adjusted(file, namespace, serviceAccount)).join('---\n'))
}

/**
 * Without options the file as it is, comments included.
 * @param {string} file
 * @param {string | undefined} namespace
 * @param {string | undefined} serviceAccount
 */
function adjusted(file, namespace, serviceAccount) {
  if (namespace === undefined && serviceAccount === undefined) return file
  const document = parseDocument(file)
  if (namespace !== undefined) document.setIn(['metadata', 'namespace'], namespace)
  const kind = document.get('kind')
  if (serviceAccount !== undefined && kind === 'ServiceAccount') document.setIn(['metadata', 'name'], serviceAccount)
  if (serviceAccount !== undefined && kind === 'RoleBinding') document.setIn(['subjects', 0, 'name'], serviceAccount)
  return document.toString({ lineWidth: 0 })
}
