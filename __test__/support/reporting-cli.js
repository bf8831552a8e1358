/**
 * A `claude` that says what reached it: its first line is a `fake_report` with size and hash of stdin.
 *
 * The simulator's stand-in does that with `FAKE_REPORT`. On a real cluster a script takes the place of the image's
 * program, because the shell of that image gives background commands no stdin, and its stand-in reads in one.
 */

const script = `#!/bin/sh
cat > "$TMPDIR/prompt"
printf '{"type":"system","subtype":"fake_report","prompt_bytes":%s,"prompt_sha256":"%s"}\\n' \\
  "$(wc -c < "$TMPDIR/prompt")" "$(sha256sum < "$TMPDIR/prompt" | cut -c1-64)"
echo '{"type":"result","subtype":"success","is_error":false,"result":"reported","session_id":"11111111-2222-4333-8444-555555555555"}'
`

const name = 'reporting-cli'
const path = '/usr/local/bin/claude'

/**
 * @param {import('./cluster.js').Cluster} cluster
 * @returns {Promise<{ config: Record<string, unknown>, env: Record<string, string> }>} for the run's context
 */
export async function reportingCli(cluster) {
  if (cluster.is('simulator')) return { config: {}, env: { FAKE_REPORT: '1' } }
  await cluster.api.create(`/api/v1/namespaces/${cluster.namespace}/configmaps`, { metadata: { name }, data: { claude: script } })
  const podTemplate = {
    spec: {
      volumes: [{ name, configMap: { name, defaultMode: 0o755 } }],
      containers: [{ name: 'claude', volumeMounts: [{ name, mountPath: path, subPath: 'claude' }] }],
    },
  }
  return { config: { podTemplate }, env: {} }
}
