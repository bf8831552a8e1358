/** The adapter as the host registers it. Cheap and synchronous: no I/O, no native module. */

import { agentConfigurationDoc } from './agent-configuration-doc.js'
import { getConfigSchema } from './config-schema.js'
import { testEnvironment } from './environment-test.js'
import { type } from './identity.js'
import { listModels, models } from './models.js'
import { execute } from './run/execute.js'
import { sessionCodec } from './session-codec.js'
import { listSkills } from './skills/list.js'

/** @returns {import('../index.d.ts').ClaudeKubernetesAdapter} */
export function createServerAdapter() {
  return {
    type,
    execute,
    testEnvironment,
    sessionCodec,
    sessionManagement: {
      supportsSessionResume: true,
      nativeContextManagement: 'confirmed',
      defaultSessionCompaction: { enabled: true, maxSessionRuns: 0, maxRawInputTokens: 0, maxSessionAgeHours: 0 },
    },
    models,
    listModels: () => listModels(),
    listSkills,
    // Delivery happens at run time: there is nothing to synchronise.
    syncSkills: (ctx) => listSkills(ctx),
    supportsLocalAgentJwt: true,
    supportsInstructionsBundle: true,
    instructionsPathKey: 'instructionsFilePath',
    requiresMaterializedRuntimeSkills: false,
    hasOutOfProcessLiveness: true,
    // The host's default would put a bearer token into `ctx.context` (docs/internals/host.md 14).
    runtimeToolDelivery: 'native_mcp',
    agentConfigurationDoc,
    getConfigSchema,
  }
}
