/** Who we are: the names the host stores, and the version both halves of the package must share. */

import { name, version } from '../package.json'

export const packageName = name

/** Version of the JavaScript half. The native half reports its own; they must be equal. */
export const adapterVersion = version

/** Incremented whenever the border in `types.d.ts` changes incompatibly. */
export const nativeAbi = 1

/** @type {'claude_k8s'} */
export const type = 'claude_k8s'

/** @type {'Claude (Kubernetes)'} */
export const label = 'Claude (Kubernetes)'
