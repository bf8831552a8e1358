/** The package as the host loads it: built by `npm run build:debug`, or the entry that `K8S_TEST_PACKAGE` names. */

import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Path of the entry `./server`. */
export const serverEntry = resolve(process.env.K8S_TEST_PACKAGE ?? fileURLToPath(new URL('../../dist/server.js', import.meta.url)))

/** @type {{ execute: (ctx: object) => Promise<any>, testEnvironment: (ctx: object) => Promise<any>, createServerAdapter: () => any }} */
const server = await import(pathToFileURL(serverEntry).href)

export const { execute, testEnvironment, createServerAdapter } = server
