/** The transcript parser is the one entry that a CommonJS program can `require`. */

import parser = require('paperclip-adapter-claude-k8s/ui-parser')

export const kinds: string[] = parser.parseStdoutLine('{}', '2026-01-01T00:00:00.000Z').map((entry) => entry.kind)
