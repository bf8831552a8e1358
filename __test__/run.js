/** One `execute` of the JavaScript side with the scripted native module of `fixtures/native.cjs`. */

import { afterAll } from 'vitest'

import { fromRoot } from './paths.js'

process.env['PAPERCLIP_CLAUDE_K8S_NATIVE'] = fromRoot('__test__/fixtures/native.cjs')
afterAll(() => void delete process.env['PAPERCLIP_CLAUDE_K8S_NATIVE'])

/**
 * @typedef {object} NativeScript
 * @property {any[]} seen every run that was started
 * @property {(run: any) => Promise<string>} [wait]
 * @property {(kind: string) => void} [onCancel]
 * @property {() => void} [startThrows]
 * @property {(request: any) => Promise<string>} [check]
 * @property {string} [version]
 * @property {number} [abi]
 */

/**
 * @param {Partial<NativeScript>} [script]
 * @returns {NativeScript}
 */
export function scriptNative(script = {}) {
  const complete = { seen: [], ...script }
  Reflect.set(globalThis, 'nativeScript', complete)
  return complete
}

/**
 * A context with the members every host has, and what the test adds.
 * @param {Record<string, unknown>} [more]
 * @returns {any}
 */
export function context(more) {
  /** @type {string[]} */
  const lines = []
  return {
    runId: 'run-1',
    agent: { id: 'agent-1', companyId: 'company-1', name: 'Ada', adapterType: 'claude_k8s', adapterConfig: { env: { A: { type: 'secret_ref' } } } },
    runtime: { sessionId: null, sessionParams: null, sessionDisplayId: null, taskKey: null },
    config: {},
    context: {},
    signal: new AbortController().signal,
    lines,
    onLog: async (/** @type {string} */ stream, /** @type {string} */ chunk) => {
      lines.push(`${stream}: ${chunk}`)
    },
    ...more,
  }
}

export const bootstrap = { kind: 'bootstrap', providerWorkStarted: false }
