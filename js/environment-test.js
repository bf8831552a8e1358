/** `testEnvironment(ctx)`: the checks are native; here only what a missing native module means. Never throws (ENV-02). */

import { hostProcess } from './host/process.js'
import { hostVersion, lacking } from './host/version.js'
import { type } from './identity.js'
import { asObject, messageOf } from './json.js'
import { loadNative } from './native/load.js'
import { readableConfig } from './run/request.js'

/**
 * @param {import('@paperclipai/adapter-utils').AdapterEnvironmentTestContext} ctx
 * @returns {Promise<import('@paperclipai/adapter-utils').AdapterEnvironmentTestResult>}
 */
export async function testEnvironment(ctx) {
  const adapterType = ctx?.adapterType ?? type
  try {
    const request = {
      agent: { companyId: ctx.companyId },
      config: readableConfig(asObject(ctx.config)),
      executionTarget: ctx.executionTarget ?? null,
      host: await hostProcess(),
    }
    const report = JSON.parse(await loadNative().checkEnvironment(JSON.stringify(request)))
    return { adapterType, ...report, checks: [...report.checks, ...hostChecks()] }
  } catch (error) {
    return {
      adapterType,
      status: 'fail',
      checks: [
        {
          code: 'k8s_native_module_unavailable',
          level: 'error',
          message: 'The native module did not answer, so nothing could be tested and no run can start',
          detail: messageOf(error),
          hint: 'Reinstall the package, or restart the server after an upgrade',
        },
      ],
      testedAt: new Date().toISOString(),
    }
  }
}

/** What an older host lacks. It changes no status: everything works without it. */
function hostChecks() {
  return lacking().map((lacks, index) => ({
    code: `host_version_${index + 1}`,
    level: /** @type {const} */ ('info'),
    message: `Paperclip ${hostVersion()?.join('.')} ${lacks}`,
  }))
}
