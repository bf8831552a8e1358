/** What `setup.js` hands to the suites. */

import 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** The server that the suites share. */
    host: { url: string; podsUrl: string; home: string; loopDelayFile: string; pid: number; database: string }
    /** Where the package is installed. */
    packageDirectory: string
  }
}
