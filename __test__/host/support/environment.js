/** What the suite is told from outside. `scripts/test-host.js` explains each variable. */

/**
 * @param {string} name
 * @returns {string}
 */
export function needed(name) {
  const value = process.env[name]
  if (!value) throw new Error(`Set \`${name}\`. \`npm run test:host -- --help\` explains it.`)
  return value
}
