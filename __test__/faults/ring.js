/** The clusters that fault runs use: one, and on the simulator a second one whose node rotates small logs often. */

import { realCluster } from '../support/real-cluster.js'
import { startCluster } from '../support/cluster.js'
import { startSimulator } from '../support/simulator.js'
import { runUnder } from './run.js'
import { installTalker } from './talker.js'

/**
 * @param {{ kubeconfig?: string, context?: string }} where no kubeconfig: the simulator
 */
export async function startRing({ kubeconfig, context }) {
  const start = async () => {
    const cluster = await startCluster({ ring: kubeconfig ? realCluster(kubeconfig, context) : await startSimulator() })
    return { cluster, config: await installTalker(cluster) }
  }
  const usual = await start()
  const rotating = kubeconfig ? undefined : await start()
  if (rotating) {
    await rotating.cluster.api.text('PUT', '/_sim/logs', { maxSize: 128 << 10 })
    await rotating.cluster.api.text('PATCH', '/_sim/lags', { logRotationCheck: 3000 })
  }
  return {
    ...usual,
    /**
     * @param {import('./catalogue.js').Fault} fault
     * @param {number} seed
     */
    run(fault, seed) {
      const { cluster, config } = (fault.rotates && rotating) || usual
      return runUnder(cluster, config, kubeconfig ? { ...fault, ...fault.onRealNode } : fault, seed)
    },
    /** @param {{ apiRestarted: boolean }} options */
    async stop(options) {
      await usual.cluster.stop(options)
      await rotating?.cluster.stop(options)
    },
  }
}
