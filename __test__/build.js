/** Runs once before the tests: the bundles they read are those of this very source. */

import { build } from 'rolldown'

import configurations from '../rolldown.config.js'

export default async function setup() {
  await build(configurations)
}
