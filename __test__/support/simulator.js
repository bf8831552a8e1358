/** The ring without a cluster: the simulator `k8s-sim`, built by `cargo build -p claude-k8s-testkit`. */
/** @returns {Promise<import('./real-cluster.js').Ring>} */
export async function startSimulator() { throw new Error('not yet') }
