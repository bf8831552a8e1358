/** A quota of zero: nothing of a kind can be created any more. */

import { until } from './until.js'

const counted = { jobs: 'count/jobs.batch', pods: 'pods' }

/**
 * @param {import('./cluster.js').Cluster} cluster
 * @param {'jobs' | 'pods'} resource
 * @returns {Promise<() => Promise<void>>} lifts the quota
 */
export async function forbidByQuota(cluster, resource) {
  const name = 'none-left'
  const key = counted[resource]
  if (cluster.is('simulator')) {
    // The simulator has no quota, but refuses in the same words.
    const message = `exceeded quota: ${name}, requested: ${key}=1, used: ${key}=0, limited: ${key}=0`
    await cluster.api.create('/_sim/admission', { resource, message })
    return () => cluster.api.remove('/_sim/admission')
  }
  const path = `/api/v1/namespaces/${cluster.namespace}/resourcequotas`
  await cluster.api.create(path, { metadata: { name }, spec: { hard: { [key]: '0' } } })
  await until('the quota is in force', async () => (await cluster.api.get(`${path}/${name}`)).status?.hard?.[key] === '0')
  return () => cluster.api.remove(`${path}/${name}`)
}
