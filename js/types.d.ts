/** The border to the native module, and the host's contract where its published types end. */

import type { AdapterExecutionContext, AdapterInvocationMeta, AdapterRuntimeEvent, AdapterSkillEntry, RuntimeStatusUpdate } from '@paperclipai/adapter-utils'

/** What `claude-k8s.<platform>.node` exports. */
export interface NativeModule {
  /** Version of the crate, equal to the version of the npm package. */
  nativeVersion(): string
  /** Version of this interface. */
  abi(): number
  /** Prepares a run. Nothing happens before `wait()`. */
  startRun(requestJson: string, callbacks: NativeCallbacks): NativeRun
  /** Answers `{ status, checks, testedAt }` as JSON. Creates nothing and takes at most 30 seconds. */
  checkEnvironment(requestJson: string): Promise<string>
  /** Answers `Rendered` or `{ refused: { code, message, next } }` as JSON. Creates nothing. */
  renderManifests(requestJson: string): Promise<string>
  /** Prepares a command of an operator. Nothing happens before `wait()`. */
  operate(requestJson: string, callbacks: NativeCallbacks): NativeOperation
  /** `[{ code, meaning, next }]` as JSON. */
  errorCodesJson(): string
}

export interface NativeOperation {
  /** Answers `{ answer }` or `{ refused: { code, message } }` as JSON. */
  wait(): Promise<string>
  /** Ends a watch or a follow. Harmless at any time. */
  cancel(): void
}

/** `Action` of `crates/cluster/src/engine/operate.rs`. */
export type OperatorAction =
  | { name: 'list'; agent?: string; heard: boolean }
  | { name: 'watch'; agent?: string }
  | { name: 'find'; word: string }
  | { name: 'log'; word: string; follow: boolean; sinceSeconds?: number }
  | { name: 'stop'; namespace: string; job: string; uid: string }
  | { name: 'usage' }
  | { name: 'leftovers'; olderThanSeconds: number }
  | { name: 'remove'; leftovers: Leftover[] }
  | ({ name: 'homes' } & HomesAt)
  | ({ name: 'removeHomes'; shown: AgentHome[] } & HomesAt)

/** `RunRow` of `crates/core/src/operate/row.rs`. */
export interface RunRow {
  namespace: string
  job: string
  uid: string
  agent: string | null
  agentName: string | null
  task: string | null
  run: string | null
  state: 'preparing' | 'queued' | 'scheduling' | 'starting' | 'running' | 'orphaned' | 'stopping' | 'ended' | 'retained'
  queue: string | null
  createdAt: string | null
  ageSeconds: number | null
  pod: string | null
  node: string | null
  exitCode: number | null
  lastOutputAt: string | null
  silentSeconds: number | null
  tokens: number | null
}

/** Quantities as Kubernetes writes them. */
export interface Measured {
  cpu: string | null
  memory: string | null
}

export interface UsageRow extends RunRow {
  used: Measured | null
  requests: Measured
  limits: Measured
}

/** `Leftover` of `crates/core/src/operate/leftovers.rs`. */
export interface Leftover {
  kind: 'Job' | 'Secret'
  namespace: string
  name: string
  uid: string
  reason: 'retained' | 'unreleased' | 'jobless'
  createdAt: string | null
  ageSeconds: number | null
}

/** `Homes` of `crates/cluster/src/engine/operate/homes.rs`. */
export interface HomesAt {
  directory: string
  /** The list of agents, as it was given. */
  agents: string
  olderThanSeconds: number
}

/** `AgentHome` of `crates/core/src/operate/homes.rs`. */
export interface AgentHome {
  company: string
  agent: string
}

/** `LeftHomes` of the same. */
export interface LeftHomes {
  homes: Array<AgentHome & { unchangedSeconds: number }>
  foreign: string[]
}

/** What a run would create. */
export interface Rendered {
  namespace: string
  job: JsonObject
  /** Each value of `data` is `***`; `sizes` has its bytes. */
  secrets: Array<{ manifest: JsonObject; sizes: Record<string, number> }>
  warnings: string[]
  degraded: string[]
}

export interface NativeRun {
  /** Executes the run; the text is an `AdapterExecutionResult` as JSON. */
  wait(): Promise<string>
  /** Resolves when nothing of the run goes on behind its result any more, at most 10 s after it. */
  isOver(): Promise<void>
  /** Harmless at any time, any number of times. */
  cancel(kind: CancelKind): void
}

/** `operator`: stop the Job. `leaseLost`: leave the Job alone and stop following it. */
export type CancelKind = 'operator' | 'leaseLost'

/** One call at a time, each awaited by the native side. */
export interface NativeCallbacks {
  onLog(stream: string, chunk: string): Promise<void>
  onNotice(json: string): Promise<void>
}

/** What the native side reports besides log output. */
export type Notice =
  | { kind: 'meta'; meta: Omit<AdapterInvocationMeta, 'adapterType' | 'context'> }
  | { kind: 'event'; event: AdapterRuntimeEvent }
  | ({ kind: 'progress' } & RuntimeStatusUpdate)
  | { kind: 'dispatch' }
  | ({ kind: 'launched' } & LaunchedJob)

/** Identity of a released Job. */
export interface LaunchedJob {
  jobName: string
  jobUid: string
  namespace: string
  runId: string
}

/** Members that only some hosts have (HST-08). */
export interface OptionalHostHooks {
  /** Stores the identity of the Job before it runs; a rejection undoes the launch. */
  onExternalRuntimeLaunched?: (job: LaunchedJob) => Promise<void>
  /** The Job this run was launched as, remembered by the host. */
  externalRuntime?: { jobName?: string; jobUid?: string } | null
}

export type ExecutionContext = AdapterExecutionContext & OptionalHostHooks

/** `RunRequest` of `crates/core/src/request.rs`. */
export interface RunRequest {
  runId: string
  agent: { id: string; companyId: string; name: string; adapterConfig: JsonObject }
  config: JsonObject
  context: JsonObject
  session: JsonObject | null
  authToken: string | null
  prompts: { fresh: RenderedPrompt; resumed: RenderedPrompt }
  wakePayloadJson: string | null
  skillLibrary: string | null
  skills: Array<{ key: string; runtimeName: string; source: string }>
  skillWarnings: string[]
  mcpServers: McpServer[]
  executionTarget: unknown
  externalRuntime: { jobName: string; jobUid: string } | null
  host: HostProcess
}

export interface RenderedPrompt {
  text: string
  metrics: Record<string, number>
}

export interface McpServer {
  name: string
  url: string
  token: string
  connectionId: string
}

export interface HostProcess {
  pid: number
  startedAtMs: number
  machineId: string
  env: Record<string, string>
  /** Of all variables, without their values. */
  envNames: string[]
  addresses: string[]
  adapterVersion: string
  /** Values that agents may inherit, only to be hidden in what they print. */
  inheritable: Record<string, string>
  /** User and group of the process, where there are such. */
  userId: number | undefined
  groupId: number | undefined
}

/** A skill the host offers to this agent. */
export interface SkillEntry {
  key: string
  runtimeName: string
  /** Absolute directory on the host. */
  source: string
  versionId: string | null
  currentVersionId: string | null
  missing: boolean
  missingDetail: string | null
  /** Set by hosts before 2026.707 for skills every agent must have. */
  required: boolean
  requiredReason: string | null
}

/** An entry of the skills page. Hosts before 2026.707 mark skills that every agent must have. */
export interface SkillSnapshotEntry extends Omit<AdapterSkillEntry, 'origin'> {
  origin: NonNullable<AdapterSkillEntry['origin']> | 'paperclip_required'
  required?: boolean
  requiredReason?: string
}

/** Kept under one global symbol, so every entry and every reload of it sees the same. */
export interface SharedState {
  native?: { module: NativeModule; path: string }
  processStartedAtMs?: number
  activeRuns?: Set<{ agentId: string; askNow: () => Promise<boolean>; ended: Promise<unknown> }>
}

export type JsonObject = Record<string, unknown>
