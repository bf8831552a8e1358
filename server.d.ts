/** The functions of the adapter, without the texts. */

import type {
  AdapterEnvironmentTestContext,
  AdapterEnvironmentTestResult,
  AdapterExecutionContext,
  AdapterExecutionResult,
  AdapterSessionCodec,
} from '@paperclipai/adapter-utils'

export { createServerAdapter } from './index.js'

/** Runs one prompt as a Job. Always resolves: failures are results with an `errorCode`. */
export declare function execute(ctx: AdapterExecutionContext): Promise<AdapterExecutionResult>

/** Checks credentials, permissions and placement. Never throws, creates nothing, takes at most 30 seconds. */
export declare function testEnvironment(ctx: AdapterEnvironmentTestContext): Promise<AdapterEnvironmentTestResult>

/** Stored session ⇄ `runtime.sessionParams`. */
export declare const sessionCodec: AdapterSessionCodec
