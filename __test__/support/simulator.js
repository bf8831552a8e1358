/** The ring without a cluster: the simulator `k8s-sim`, whose containers are processes of this machine. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { startGate } from './gate.js'
import { createApi } from './kube-api.js'
import { deployObjects } from './manifests.js'

const binary = fileURLToPath(new URL('../../target/debug/k8s-sim', import.meta.url))
/** Where containers find `claude`. */
const programs = fileURLToPath(new URL('../fixtures/fake-claude', import.meta.url))
const image = 'localhost/fake-claude:test'

/** @returns {Promise<import('./real-cluster.js').Ring>} */
export async function startSimulator() {
  throw new Error('not yet')
}
