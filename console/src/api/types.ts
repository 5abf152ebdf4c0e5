/** Answers of the run API. Times are epoch seconds, lengths of time seconds. */

export type Status = 'queued' | 'running' | 'suspended' | 'succeeded' | 'failed' | 'aborted' | 'timed_out'
/** How a run stands: one whose process is gone is interrupted. */
export type RunStatus = Exclude<Status, 'queued' | 'suspended'> | 'interrupted'
export type Counts = Partial<Record<Status, number>>
export type Order = 'called' | 'slowest' | 'failed'
export type Phase = 'queued' | 'start' | 'data' | 'run' | 'record'
export type Phases = Partial<Record<Phase, number>>
export type Commands = Record<string, string>

export interface Info {
  version: string
  backend: string
  stage: string | null
  region: string | null
  url_of_docs: string | null
  features: { logs: boolean; steer: boolean; submit: boolean }
}

export interface Failure {
  code: string
  message: string
  kind?: string | null
  traceback?: string | null
}

export interface Run {
  run_id: string
  task: string
  status: Status
  /** Whether something works on it. A local run whose process is gone is running, and not alive. */
  alive: boolean
  created_at: number
  /** When its generation was submitted: the run itself, or its latest recovery. */
  began_at: number
  ended_at: number | null
  /** Of its generation, or as yet; null where its process is gone. */
  duration_s: number | null
  labels: Record<string, string>
  counts: Counts
  actions: number
  error: Failure | null
  version: string
}

export interface Percentiles {
  p50_s: number | null
  p90_s: number | null
  p99_s: number | null
  max_s: number | null
}

export interface TaskStats {
  task: string
  actions: number
  counts: Counts
}

export interface RunDetail extends Run {
  root: string
  generation: number
  bundle: string | null
  /** Whether lists and charts show all that has happened: of large runs they may be some seconds behind. */
  settled: boolean
  tasks: TaskStats[]
  commands: Commands
}

export interface RunList {
  runs: Run[]
  next: string | null
}

/** When an attempt was sent, began and ended, and how. */
export interface Try {
  sent_at: number
  started_at: number
  ended_at: number | null
  end: string | null
  generation: number
}

export interface Row {
  action_id: string
  parent_id: string | null
  task: string
  name: string
  group: string | null
  status: Status
  attempts: number
  items: number
  children: number | null
  queued_at: number
  started_at: number | null
  ended_at: number | null
  phases: Phases
  cached: boolean
  error_code: string | null
  /** Where there were several, or one has ended and the action has not; those of earlier generations included. */
  tries: Try[]
}

export interface Summary extends Percentiles {
  task: string
  group: string | null
  counts: Counts
  cached: number
  first_queued_at: number
  last_ended_at: number | null
}

export interface TreePage {
  rows: Row[]
  next: string | null
  total: number | null
  summaries: Summary[]
}

export interface Timeline {
  start: number
  end: number
  bucket_s: number
  running: number[]
  queued: number[]
  ended: number[]
  failed: number[]
}

export interface FrameShape {
  num_rows: number | null
  /** Names and types of the first columns. */
  columns: [string, string][]
  num_columns: number
}

export interface Value {
  name: string
  type: string
  preview: string
  size_bytes: number | null
  truncated: boolean
  reference: string | null
  /** Of lists and dicts. */
  length: number | null
  /** Of data frames. */
  frame: FrameShape | null
}

export interface Attempt {
  number: number
  executor: { kind: string; id: string }
  started_at: number | null
  ended_at: number | null
  end: string | null
  phases: Phases
  error: Failure | null
  note: string | null
  generation: number
}

export interface ActionDetail extends Omit<Row, 'attempts' | 'tries'> {
  attempts: Attempt[]
  inputs: Value[]
  /** Null until it has succeeded. */
  outputs: Value[] | null
  error: Failure | null
  links: { name: string; url: string }[]
  /** Attempts that made a report. */
  reports: number[]
  lease_expires_at: number | null
  warnings: string[]
  cached_from: { run_id: string; action_id: string; created_at: number | null } | null
  cache_key: string | null
  bundle: string | null
  pool: string | null
  commands: Commands
}

export interface LogLine {
  id: string
  at: number
  action_id: string | null
  attempt: number | null
  item: string | null
  stream: string
  level: string | null
  logger: string | null
  text: string
}

export interface LogPage {
  lines: LogLine[]
  next: string | null
  resume: string
}

export interface Hold {
  action_id: string
  run_id: string
  executor: string
  until: number | null
}

export interface Scaling {
  at: number
  before: number
  after: number
  why: 'backlog' | 'slots' | 'idle' | 'policy'
  waiting: number
  in_flight: number
}

export interface Pool {
  pool: string
  kind: string | null
  /** Executors at work. */
  replicas: number
  /** Attempts that share one executor. */
  slots: number | null
  /** Attempts at work; `held` has the first of them. */
  busy: number
  held: Hold[]
  backlog: number | null
  /** What the scaler changed lately, newest first. */
  scaling: Scaling[]
}

export interface CacheEntry {
  key: string
  task: string | null
  version: string | null
  version_from: string | null
  created_at: number
  max_age_s: number | null
  expired: boolean
  size_bytes: number
  run_id: string
  action_id: string
}

export interface CachePage {
  entries: CacheEntry[]
  next: string | null
}

/** As much of a JSON schema as the form understands. */
export interface InputSchema {
  type?: string
  title?: string
  description?: string
  format?: string
  default?: unknown
  enum?: unknown[]
  anyOf?: InputSchema[]
  items?: InputSchema
  required?: string[]
  $ref?: string | undefined
  $defs?: Record<string, InputSchema>
}

export interface DeployedTask {
  task: string
  description: string
  inputs: InputSchema & { properties: Record<string, InputSchema> }
  pool: string
  bundle: string
  deployed_at: number
}
