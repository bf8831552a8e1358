/** Entry `paperclip-adapter-claude-k8s/server`: the functions, without the texts. Importing it does nothing. */

export { createServerAdapter } from './adapter.js'
export { execute } from './run/execute.js'
export { sessionCodec } from './session-codec.js'
export { testEnvironment } from './environment-test.js'
