/** Components of a real cluster that are killed and started again while runs talk. */

import { exec } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(exec)

/**
 * @param {string} command gets the component's name appended
 * @returns {import('./catalogue.js').Fault[]}
 */
export const restarts = (command) =>
  ['kubelet', 'kube-apiserver'].map((component) => {
    /** One restart for all runs of a round. @type {Promise<unknown> | undefined} */
    let restarting
    return {
      name: `${component} killed and started again`,
      talk: { lines: 450, batch: 5, pauseMs: 500 },
      runs: 3,
      async disturb() {
        restarting ??= run(`${command} ${component}`)
        await restarting
        restarting = undefined
        return 1
      },
    }
  })
