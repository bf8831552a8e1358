/**
 * The form of the host. A `default` here only prefills a new form; what applies when a key is unset is decided by the
 * native side (CFG-03). The fields are printed from the rows of the parser.
 */

import { fields } from './configuration-keys.js'

/** A new object per call: the host may change what it gets. */
export function getConfigSchema() {
  return structuredClone({ fields })
}
