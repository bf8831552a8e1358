/** The ring with a real cluster: `K8S_TEST_KUBECONFIG` names a kubeconfig of an administrator. */

import { readFileSync, statSync } from 'node:fs'

import { ApiError } from './kube-api.js'
import { readKubeconfig } from './kubeconfig.js'
import { accountName, deployObjects } from './manifests.js'
import { until } from './until.js'

/** @typedef {import('./requests.js').SeenRequest} SeenRequest */
/** @typedef {import('./kube-api.js').KubeApi} KubeApi */
/** @typedef {import('./kubeconfig.js').Credentials} Credentials */
/** @typedef {import('./manifests.js').RoleRule} RoleRule */
/** @typedef {{ namespace: string, name: string, role: (rules: RoleRule[]) => RoleRule[] }} AccountOrder */

/**
 * What a ring gives to `startCluster`.
 * @typedef {object} Ring
 * @property {'real' | 'simulator'} name
 * @property {Credentials} admin
 * @property {string} image runs the stand-in CLI
 * @property {(api: KubeApi) => Promise<{ config: Record<string, unknown>, release: () => Promise<void> }>} withoutNode configuration of a run whose pod no node takes
 * @property {boolean} countsRequests
 * @property {(user: string, sinceMs: number) => Promise<SeenRequest[]>} requests of one account, in order of arrival
 * @property {(api: KubeApi, order: AccountOrder) => Promise<Credentials>} createAccount applies `deploy/` under a name, with a changed Role
 * @property {(api: KubeApi, namespace: string, name: string) => Promise<void>} createClaim on a volume that every user may write to
 * @property {(api: KubeApi, namespace: string) => Promise<void>} removeClaim what outlives the namespace
 * @property {() => Promise<void>} stop
 */

/**
 * @param {string} kubeconfig
 * @param {string} [context]
 * @returns {Ring}
 */
export function realCluster(kubeconfig, context) {
  const auditLog = process.env.K8S_TEST_AUDIT_LOG
  const from = auditLog ? statSync(auditLog).size : 0
  const admin = readKubeconfig(kubeconfig, context)
  const image = process.env.K8S_TEST_IMAGE ?? 'localhost/fake-claude:test'
  return {
    name: 'real',
    admin,
    image,
    async createAccount(api, order) {
      return { server: admin.server, ca: admin.ca, token: await createAccount(api, order), namespace: order.namespace }
    },
    createClaim: (api, namespace, name) => createClaim(api, { namespace, name, image }),
    removeClaim: (api, namespace) => api.remove(`/api/v1/persistentvolumes/${namespace}`),
    async withoutNode() {
      return { config: { nodeSelector: { 'no-such': 'node' } }, release: async () => {} }
    },
    countsRequests: auditLog !== undefined,
    async requests(user, sinceMs) {
      if (!auditLog) throw new Error('Counting requests needs `K8S_TEST_AUDIT_LOG`, the path of the API server\'s audit log.')
      return requestsIn(readFileSync(auditLog).subarray(from).toString(), user, sinceMs)
    },
    async stop() {},
  }
}

/**
 * @param {KubeApi} api
 * @param {AccountOrder} order
 * @returns {Promise<string>} a token
 */
async function createAccount(api, { namespace, name, role }) {
  for (const { plural, object } of deployObjects()) {
    const group = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`
    const renamed = JSON.parse(JSON.stringify(object).replaceAll(`"name":"${accountName}"`, `"name":"${name}"`))
    const rules = object.kind === 'Role' ? { rules: role(object.rules) } : {}
    await api.create(`${group}/namespaces/${namespace}/${plural}`, { ...renamed, ...rules })
  }
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 86_400 } }
  const { status } = await api.create(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`, request)
  return status.token
}

/**
 * @param {KubeApi} api
 * @param {{ namespace: string, name: string, image: string }} order
 */
async function createClaim(api, { namespace, name, image }) {
  const storage = { accessModes: ['ReadWriteMany'], storageClassName: 'shared' }
  await api.create('/api/v1/persistentvolumes', {
    metadata: { name: namespace },
    spec: {
      ...storage,
      capacity: { storage: '1Gi' },
      claimRef: { namespace, name },
      hostPath: { path: `${process.env.K8S_TEST_VOLUMES ?? '/var/lib/k8s-test/volumes'}/${namespace}`, type: 'DirectoryOrCreate' },
    },
  })
  await api.create(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`, {
    metadata: { name },
    spec: { ...storage, volumeName: namespace, resources: { requests: { storage: '1Gi' } } },
  })
  // The kubelet creates a hostPath directory for root only.
  const pods = `/api/v1/namespaces/${namespace}/pods`
  await api.create(pods, {
    metadata: { name: 'open-volume' },
    spec: {
      restartPolicy: 'Never',
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }],
      containers: [
        {
          name: 'chmod',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['chmod', '0777', '/data'],
          securityContext: { runAsUser: 0 },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
    },
  })
  await until('the volume is writable', async () => (await api.get(`${pods}/open-volume`)).status.phase === 'Succeeded')
  await api.remove(`${pods}/open-volume`)
  await until('the helper pod is gone', () =>
    api.get(`${pods}/open-volume`).then(
      () => false,
      (error) => error instanceof ApiError && error.status === 404,
    ),
  )
}

/**
 * @param {string} auditLog one JSON event per line; the last one may be half written
 * @param {string} user
 * @param {number} sinceMs
 */
function requestsIn(auditLog, user, sinceMs) {
  /** @type {Map<string, SeenRequest>} */
  const byId = new Map()
  for (const line of auditLog.slice(0, auditLog.lastIndexOf('\n') + 1).split('\n')) {
    if (!line.includes(user)) continue
    const event = JSON.parse(line)
    const at = Date.parse(event.requestReceivedTimestamp)
    if (event.user?.username !== user || at < sinceMs) continue
    const { resource = event.requestURI, subresource } = event.objectRef ?? {}
    // A stream is in the log twice, when it starts and when it ends.
    byId.set(event.auditID, {
      at,
      verb: event.verb,
      resource: subresource ? `${resource}/${subresource}` : resource,
      status: event.responseStatus?.code,
      forbidden: event.annotations?.['authorization.k8s.io/decision'] === 'forbid',
    })
  }
  return [...byId.values()].sort((one, other) => one.at - other.at)
}
