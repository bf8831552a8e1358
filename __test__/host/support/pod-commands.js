/**
 * What the fake model lets the agent do in its pod: a scenario with one command for the Bash tool. The image has no
 * `curl`; bash itself opens the connection.
 */

/**
 * The scenario `text+tool` with another command.
 * @param {string} command without `~`, which separates the parameters of a scenario
 */
export const runs = (command) => `text+tool~cmd=${command}`

/** Sets the run's task to done with the run's own token, as the skill tells agents to, and says `hi` if that worked. */
export const finishTask = runs(
  [
    'body=\'{"status":"done"}\'',
    'address=${PAPERCLIP_API_URL#http://}',
    'exec 3<>/dev/tcp/${address%:*}/${address#*:}',
    'printf "PATCH /api/issues/%s HTTP/1.1\\r\\nHost: %s\\r\\nAuthorization: Bearer %s\\r\\nContent-Type: application/json\\r\\nContent-Length: %s\\r\\nConnection: close\\r\\n\\r\\n%s" "$PAPERCLIP_TASK_ID" "$address" "$PAPERCLIP_API_KEY" "${#body}" "$body" >&3',
    'head -n 1 <&3 | grep " 200 " && echo hi',
  ].join('; '),
)
