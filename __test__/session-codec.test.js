import fc from 'fast-check'
import { expect, test } from 'vitest'

import { sessionCodec } from '../js/session-codec.js'

const written = {
  sessionId: '7ebd5623-0000-4000-8000-000000000000',
  cwd: '/paperclip/work',
  workspaceId: 'w',
  repoUrl: 'https://example.org/r.git',
  repoRef: 'main',
  promptBundleKey: 'abc',
  mcpServerIdentity: '[["a","1"]]',
}

test('ses_01 every field that a run writes survives storing and reading', () => {
  expect(sessionCodec.deserialize(sessionCodec.serialize(written))).toEqual(written)
})

test.each([
  ['session_id', 'sessionId'],
  ['workdir', 'cwd'],
  ['folder', 'cwd'],
  ['workspace_id', 'workspaceId'],
  ['repo_url', 'repoUrl'],
  ['repo_ref', 'repoRef'],
  ['prompt_bundle_key', 'promptBundleKey'],
  ['mcp_server_identity', 'mcpServerIdentity'],
])('the old name `%s` is read as `%s`', (old, name) => {
  expect(sessionCodec.deserialize({ session_id: 's', [old]: ' value ' })?.[name]).toBe('value')
})

test('the first of several names wins, blank values and other types count as absent', () => {
  expect(sessionCodec.deserialize({ sessionId: ' ', session_id: 's', cwd: 7, workdir: '/a', folder: '/b' })).toEqual({ sessionId: 's', cwd: '/a' })
})

test('keys that the host adds are ignored', () => {
  expect(sessionCodec.deserialize({ sessionId: 's', configuredModel: 'm', fingerprints: {} })).toEqual({ sessionId: 's' })
})

test.each([null, undefined, 'text', 7, [], [{ sessionId: 's' }], {}, { cwd: '/a' }, { sessionId: '' }])('%o is no session', (raw) => {
  expect(sessionCodec.deserialize(raw)).toBeNull()
  expect(sessionCodec.serialize(/** @type {any} */ (raw))).toBeNull()
})

test('the display id is the session id, under either name', () => {
  const id = /** @type {(params: any) => string | null} */ (sessionCodec.getDisplayId)
  expect([id({ sessionId: ' a ' }), id({ session_id: 'b' }), id({ sessionId: '', session_id: 'c' }), id({}), id(null), id(undefined)]).toEqual([
    'a',
    'b',
    'c',
    null,
    null,
    null,
  ])
})

test('nothing that a database may hold makes the codec throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (raw) => {
      const session = sessionCodec.deserialize(raw)
      expect(sessionCodec.serialize(session)).toEqual(session)
    }),
  )
})
