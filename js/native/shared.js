/**
 * State of the process, not of a module: `.` and `./server` are two bundles, and the host's reload makes a third.
 * It lives under one global symbol, created when first asked for so that an import changes nothing.
 */

const symbol = Symbol.for('paperclip-adapter-claude-k8s')

/** @returns {import('../types.d.ts').SharedState} */
export function sharedState() {
  const holder = /** @type {{ [symbol]?: import('../types.d.ts').SharedState }} */ (globalThis)
  return (holder[symbol] ??= {})
}
