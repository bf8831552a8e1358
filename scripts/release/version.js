/**
 * `node scripts/release/version.js v1.2.3`: fails when the tag is not the version of the package or has no section in
 * `CHANGELOG.md`. That crates and platform packages have the same version is a test (`__test__/package.test.js`).
 */

import { changesOf } from './changelog.js'
import { manifest } from './platforms.js'

const [tag = ''] = process.argv.slice(2)
if (tag !== `v${manifest.version}`) giveUp(`The tag is \`${tag}\`, the version of the package ${manifest.version}: the tag must be \`v${manifest.version}\`.`)
if (changesOf(manifest.version) === '') giveUp(`\`CHANGELOG.md\` has no section \`## ${manifest.version}\`.`)
console.log(`${tag} is the version of the package`)

/** @param {string} message */
function giveUp(message) {
  console.error(message)
  process.exit(1)
}
