/** Entry `paperclip-adapter-claude-k8s`: what the host imports. Importing it does nothing. */

export { agentConfigurationDoc } from './agent-configuration-doc.js'
export { createServerAdapter } from './adapter.js'
export { label, type } from './identity.js'
export { models } from './models.js'
export { printClaudeStreamEvent } from './cli.js'
