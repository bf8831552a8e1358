/** Reading values whose shape nobody guarantees: configuration, context, stored sessions. */

/**
 * @param {unknown} value
 * @returns {value is import('./types.d.ts').JsonObject}
 */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * @param {unknown} value
 * @returns {import('./types.d.ts').JsonObject}
 */
export function asObject(value) {
  return isObject(value) ? value : {}
}

/**
 * Trimmed text, `null` for anything else and for blank text.
 * @param {unknown} value
 */
export function asText(value) {
  return (typeof value === 'string' && value.trim()) || null
}

/**
 * @param {unknown} value
 * @returns {unknown[]}
 */
export function asArray(value) {
  return Array.isArray(value) ? value : []
}

/** @param {unknown} error */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error)
}
