/** Terminal output of runs. */

export { printClaudeStreamEvent } from './index.js'
