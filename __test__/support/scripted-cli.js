/** A shell script in place of the image's CLI, for ends that the stand-in cannot meet. On a real cluster only. */

const path = '/usr/local/bin/claude'

/**
 * @param {import('./cluster.js').Cluster} cluster
 * @param {string} name of the ConfigMap that holds it
 * @param {string} script for `sh`
 * @returns {Promise<{ podTemplate: { spec: Record<string, unknown> } }>} for the run's configuration
 */
export async function scriptedCli(cluster, name, script) {
  await cluster.api.create(`/api/v1/namespaces/${cluster.namespace}/configmaps`, { metadata: { name }, data: { claude: `#!/bin/sh\n${script}` } })
  const podTemplate = {
    spec: {
      volumes: [{ name, configMap: { name, defaultMode: 0o755 } }],
      containers: [{ name: 'claude', volumeMounts: [{ name, mountPath: path, subPath: 'claude' }] }],
    },
  }
  return { podTemplate }
}
