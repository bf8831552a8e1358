/**
 * Paperclip adapter `claude_k8s`: runs Claude Code as Kubernetes Jobs.
 *
 * The host loads this entry. Importing it has no effects and succeeds without the native module; then every run and
 * every environment test says what is missing.
 */

import type {
  AdapterConfigSchema,
  AdapterEnvironmentTestContext,
  AdapterEnvironmentTestResult,
  AdapterExecutionContext,
  AdapterExecutionResult,
  AdapterModel,
  AdapterSessionCodec,
  AdapterSkillContext,
  AdapterSkillSnapshot,
  ServerAdapterModule,
} from '@paperclipai/adapter-utils'

/** Key of the adapter in the host's registry. */
export declare const type: 'claude_k8s'

/** Name of the adapter in the host's forms. */
export declare const label: 'Claude (Kubernetes)'

/** Model ids of the Anthropic API for the picker. Any other id is accepted too. */
export declare const models: AdapterModel[]

/** Every configuration key with type, default and effect, as markdown for operators and agents. */
export declare const agentConfigurationDoc: string

/** The adapter, as the host registers it. Synchronous, without I/O; each call makes a new object. */
export declare function createServerAdapter(): ClaudeKubernetesAdapter

/**
 * Prints one line of a run's output for a terminal, with colours where the terminal has them.
 *
 * @param line a line of the CLI's `stream-json` output, or any other text
 * @param debug also print events that have no form of their own
 */
export declare function printClaudeStreamEvent(line: string, debug: boolean): void

/** A `ServerAdapterModule` of which these members are always there. */
export interface ClaudeKubernetesAdapter extends ServerAdapterModule {
  type: 'claude_k8s'
  /**
   * Runs one prompt as a Job. Always resolves: failures are results with an `errorCode`, see docs/troubleshooting.md.
   * Takes as long as the pod works: without `timeoutSec` (seconds, default 0) nothing but its end, a cancel or a start
   * that is out of bounds ends it. An abort of `ctx.signal` settles it within 60 seconds.
   */
  execute(ctx: AdapterExecutionContext): Promise<AdapterExecutionResult>
  /** Checks credentials, permissions and placement. Never throws, creates nothing, takes at most 30 seconds. */
  testEnvironment(ctx: AdapterEnvironmentTestContext): Promise<AdapterEnvironmentTestResult>
  /** Skills on offer, wanted, missing, and found in the data volume. Never throws for a directory that cannot be read. */
  listSkills(ctx: AdapterSkillContext): Promise<AdapterSkillSnapshot>
  /** Changes nothing: skills are delivered with each run. Answers as `listSkills`. */
  syncSkills(ctx: AdapterSkillContext, desiredSkills: string[]): Promise<AdapterSkillSnapshot>
  /** Stored session ⇄ `runtime.sessionParams`; `null` for everything without a session id. */
  sessionCodec: AdapterSessionCodec
  /** As the export `models`. */
  models: AdapterModel[]
  /** The list that fits the host process: Bedrock inference profiles when its environment selects Bedrock. */
  listModels(): Promise<AdapterModel[]>
  /** The form. Its defaults only prefill; what applies when a key is unset is in docs/configuration.md. A new object per call. */
  getConfigSchema(): AdapterConfigSchema
  /** As the export `agentConfigurationDoc`. */
  agentConfigurationDoc: string
  /** Runs live in pods: the host must not judge them by a process id. */
  hasOutOfProcessLiveness: true
}
