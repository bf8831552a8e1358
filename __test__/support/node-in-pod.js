/** Node for an image without it: that of the node's file system, so the node has to be the machine of the tests. */

import { dirname } from 'node:path'

const name = 'node-of-host'

/** Started with the loader and the libraries it was built for; those of the image may be other ones. */
const script = `#!/bin/sh
loader=$(ls /opt/host/usr/lib/*/ld-linux-*.so.* | head -n 1)
exec "$loader" --library-path "\${loader%/*}" /opt/host/node/node "$@"
`

/**
 * @param {import('./cluster.js').Cluster} cluster
 * @returns {Promise<object>} `podTemplate` of a run that needs `node`
 */
export async function nodeInPod(cluster) {
  await cluster.api.create(`/api/v1/namespaces/${cluster.namespace}/configmaps`, { metadata: { name }, data: { node: script } })
  return {
    spec: {
      volumes: [
        { name: 'host-usr', hostPath: { path: '/usr' } },
        { name: 'host-node', hostPath: { path: dirname(process.execPath) } },
        { name, configMap: { name, defaultMode: 0o755 } },
      ],
      containers: [
        {
          name: 'claude',
          volumeMounts: [
            { name: 'host-usr', mountPath: '/opt/host/usr', readOnly: true },
            { name: 'host-node', mountPath: '/opt/host/node', readOnly: true },
            { name, mountPath: '/usr/local/bin/node', subPath: 'node' },
          ],
        },
      ],
    },
  }
}
