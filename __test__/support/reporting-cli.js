/**
 * A `claude` that says what reached it: its first line is a `fake_report` with size and hash of stdin, the arguments, the
 * environment and the files that the arguments name, in hexadecimal: secrets are covered in plain text and in base64.
 *
 * The simulator's stand-in does that with `FAKE_REPORT`. On a real cluster a script takes the place of the image's
 * program, because the shell of that image gives background commands no stdin, and its stand-in reads in one.
 */

import { transcript } from './host.js'

/** Hexadecimal: base64 of a secret would be redacted, wherever its alignment shows it. */
const script = `#!/bin/sh
hex() { od -An -v -tx1 | tr -d ' \\n'; }
cat > "$TMPDIR/prompt"
files= option=
for argument in "$@"; do
  case $option in --*)
    if [ -e "$argument" ]; then
      for file in $(find -L "$argument" -type f); do
        files="$files,\\"$option\${file#"$argument"}\\":\\"$(hex < "$file")\\""
      done
    fi
  esac
  option=$argument
done
printf '{"type":"system","subtype":"fake_report","prompt_bytes":%s,"prompt_sha256":"%s","uid":%s,"cwd":"%s","arguments":"%s","environ":"%s","files":{%s}}\\n' \\
  "$(wc -c < "$TMPDIR/prompt")" "$(sha256sum < "$TMPDIR/prompt" | cut -c1-64)" "$(id -u)" "$PWD" \\
  "$(printf '%s\\0' "$@" | hex)" "$(hex < "/proc/$$/environ")" "\${files#,}"
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

/**
 * What the program has reported.
 * @param {object} ctx of a run that has ended
 */
export const reportOf = (ctx) => reportIn(transcript(ctx).output)

/**
 * @param {string} output of a run
 * @returns {any}
 */
export function reportIn(output) {
  const report = JSON.parse(output.slice(0, output.indexOf('\n')))
  /** @param {string} hex */
  const decoded = (hex) => Buffer.from(hex, 'hex').toString()
  /** @param {string} hex */
  const parts = (hex) => decoded(hex).split('\0').slice(0, -1)
  const entries = parts(report.environ)
  return {
    ...report,
    arguments: parts(report.arguments),
    /** @type {Record<string, string>} */
    env: Object.fromEntries(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)])),
    /** Text by option, or by option and path below its directory. @type {Record<string, string>} */
    files: Object.fromEntries(Object.entries(report.files).map(([key, hex]) => [key, decoded(hex)])),
  }
}
