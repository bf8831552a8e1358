#!/usr/bin/env node
/**
 * `npx paperclip-adapter-claude-k8s`: what operators do from a terminal, with the functions the host calls.
 *
 * ```text
 * doctor ─▶ testEnvironment      render ─▶ buildRequest ─▶ renderManifests      run ─▶ execute      rbac ─▶ deploy/
 * ```
 */

import { createProgram } from './program.js'
import { stop } from './stop.js'

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = stop(error)
}
