/**
 * The form of the host. A `default` here only prefills a new form; what applies when a key is unset is decided by the
 * native side (CFG-03). The fields are printed from the rows of the parser.
 */

import { fields } from './configuration-keys.js'
import { hostHas } from './host/version.js'

/**
 * A new object per call: the host may change what it gets. A host that keeps no field secret is given none.
 */
export function getConfigSchema() {
  const storable = fields.filter((field) => hostHas('secretFields') || !('meta' in field && field.meta && 'secret' in field.meta))
  return structuredClone({ fields: storable })
}
