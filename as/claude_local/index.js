/** The adapter in the place of the built-in one: a server registers one type per package, so this is a package (docs/hosts.md). */

import { createServerAdapter as create } from '../../dist/index.js'

/** Code and state are those of the package around it: an agent has one guard, whichever type it is. */
export const createServerAdapter = () => ({ ...create(), type: 'claude_local' })
