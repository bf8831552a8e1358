/** Results that JavaScript gives itself, when the native side cannot. Complete, as every result is. */

/** @typedef {import('@paperclipai/adapter-utils').AdapterExecutionResult} Result */

const maximumMessageLength = 2000

/**
 * Nothing was started: the evidence lets the host try again or ask, instead of blocking the task.
 * @param {string} errorCode
 * @param {string} message
 * @param {{ reason: string, aborted?: boolean }} facts `aborted`: an operator cancelled before anything existed
 * @returns {Result}
 */
export function refusal(errorCode, message, { reason, aborted = false }) {
  /** @type {Result['executionRecovery']} */
  const executionRecovery = { kind: 'bootstrap', providerWorkStarted: false }
  return {
    ...failure(errorCode, message),
    executionRecovery,
    resultJson: {
      executionRecovery,
      ...(aborted && { executionCancellation: acknowledgement() }),
      k8s: { reason },
    },
  }
}

/**
 * The run may have started: no evidence of anything, so the host asks a person.
 * @param {string} message
 * @returns {Result}
 */
export function internalError(message) {
  return { ...failure('internal_error', message), resultJson: { k8s: { reason: 'internal_error' } } }
}

/**
 * @param {string} errorCode
 * @param {string} message
 * @returns {Result}
 */
function failure(errorCode, message) {
  return {
    exitCode: null,
    signal: null,
    timedOut: false,
    errorCode,
    errorMessage: message.slice(0, maximumMessageLength),
  }
}

/** Without it the host answers a cancel with 409 and blocks the task (docs/internals/host.md 8). */
function acknowledgement() {
  return { state: 'acknowledged', acknowledgedAt: new Date().toISOString(), forced: false }
}
