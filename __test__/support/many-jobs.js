/** Many Jobs of the adapter that cost no node anything. */

/**
 * Suspended copies of a Job of the adapter, each of a run of its own.
 * @param {import('./cluster.js').Cluster} cluster
 * @param {any} job
 * @param {number} count
 * @returns {Promise<string[]>} their paths
 */
export async function copiesOf(cluster, job, count) {
  const path = `/apis/batch/v1/namespaces/${cluster.namespace}/jobs`
  const { labels, annotations } = job.metadata
  const ours = (/** @type {Record<string, string>} */ all) => Object.fromEntries(Object.entries(all).filter(([key]) => !/controller-uid|job-name/.test(key)))
  const { selector: _selector, ...spec } = job.spec
  const template = { ...spec.template, metadata: { ...spec.template.metadata, labels: ours(spec.template.metadata.labels) } }
  const names = Array.from({ length: count }, (_, index) => `${job.metadata.name.slice(0, 40)}-copy-${index}`)
  for (const name of names) {
    const metadata = { name, labels: ours(labels), annotations: { ...annotations, 'paperclip.io/run-id': name } }
    await cluster.api.create(path, { apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { ...spec, suspend: true, template } })
  }
  return names.map((name) => `${path}/${name}`)
}
