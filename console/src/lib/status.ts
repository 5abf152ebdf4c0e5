import type { Counts, Order, Phase, Phases, Row, Run, RunStatus, Status, Try } from '../api/types'

/** In the order in which counts are shown: what needs a look comes first. */
export const STATUSES: readonly Status[] = [
  'failed',
  'timed_out',
  'aborted',
  'running',
  'suspended',
  'queued',
  'succeeded',
]

export const RUN_STATUSES: readonly RunStatus[] = ['failed', 'timed_out', 'aborted', 'interrupted', 'running', 'succeeded']

export const STATUS_TEXT: Record<Status | RunStatus, string> = {
  queued: 'Queued',
  running: 'Running',
  interrupted: 'Interrupted',
  suspended: 'Suspended',
  succeeded: 'Succeeded',
  failed: 'Failed',
  aborted: 'Aborted',
  timed_out: 'Timed out',
}

export const ORDERS: readonly { value: Order; text: string; hint: string }[] = [
  { value: 'called', text: 'As called', hint: 'In the order in which the code called them' },
  { value: 'slowest', text: 'Slowest', hint: 'The longest first' },
  { value: 'failed', text: 'Failed', hint: 'What failed first' },
]

export const PHASES: readonly { phase: Phase; text: string; hint: string }[] = [
  { phase: 'queued', text: 'Queued', hint: 'Waiting for an executor or a free slot' },
  { phase: 'start', text: 'Start', hint: 'Starting the executor, fetching and importing the code' },
  { phase: 'data', text: 'Data', hint: 'Fetching and decoding inputs, encoding and storing outputs' },
  { phase: 'run', text: 'Run', hint: 'The task’s own function, with the waits for its children' },
  { phase: 'record', text: 'Record', hint: 'Writing the claim and the result down' },
]

const TERMINAL: ReadonlySet<Status> = new Set(['succeeded', 'failed', 'aborted', 'timed_out'])
const BAD: ReadonlySet<Status> = new Set(['failed', 'aborted', 'timed_out'])

export function isTerminal(status: Status): boolean {
  return TERMINAL.has(status)
}

/** How a run stands: one whose process is gone is interrupted. */
export function shownStatus({ status, alive }: Run): Status | RunStatus {
  return alive || isTerminal(status) ? status : 'interrupted'
}

/** How long the generation of a run took, or has taken by now; null where its process is gone. */
export function lengthOfRun(run: Run, now: number): number | null {
  return run.alive ? Math.max(0, now - run.began_at) : run.duration_s
}

export function isBad(status: Status): boolean {
  return BAD.has(status)
}

export function countOf(counts: Counts): number {
  return STATUSES.reduce((sum, status) => sum + (counts[status] ?? 0), 0)
}

export interface Bar {
  phase: Phase
  from: number
  to: number
  /** Of an attempt that is not the last one: how it ended. */
  end?: string | null
}

const BAD_ENDS: ReadonlySet<string> = new Set(['failed', 'lost', 'aborted', 'timed out'])

/** Whether an attempt ended without a result, for whatever reason. */
export function endedBadly({ end }: Bar): boolean {
  return BAD_ENDS.has(end ?? '')
}

function barsOfTry({ sent_at, started_at, ended_at, end }: Try): Bar[] {
  return [
    { phase: 'queued', from: sent_at, to: started_at, end: null },
    { phase: 'run', from: started_at, to: ended_at ?? started_at, end },
  ]
}

/**
 * Where the attempts of an action lie, in epoch seconds, the last one with its phases. Known lengths are laid end to end
 * so that they finish with the action; what they do not cover belongs to `queued` before the start and to `run` after it.
 * Between two attempts, and between two generations of a run, is nothing.
 */
export function barsOf(row: Row, now: number): Bar[] {
  const end = row.ended_at ?? now
  const last = row.tries.at(-1)
  if (row.ended_at === null && last?.ended_at) {
    const waits: Bar[] = row.status === 'queued' ? [{ phase: 'queued', from: last.ended_at, to: Math.max(end, last.ended_at) }] : []
    return [...row.tries.flatMap(barsOfTry), ...waits]
  }
  const earlier = row.tries.slice(0, -1).flatMap(barsOfTry)
  const sent = last?.sent_at ?? row.queued_at
  const started = last?.started_at ?? row.started_at
  if (started === null) return [{ phase: 'queued', from: sent, to: Math.max(end, sent) }]
  const bars: Bar[] = [...earlier, { phase: 'queued', from: sent, to: started }]
  let at = started
  const known: Phases = row.phases
  const measured = (known.start ?? 0) + (known.data ?? 0) + (known.run ?? 0) + (known.record ?? 0)
  if (row.ended_at === null || measured === 0) return [...bars, { phase: 'run', from: at, to: Math.max(at, end) }]
  const scale = Math.min(1, (end - at) / measured)
  for (const phase of ['start', 'data', 'run', 'record'] as const) {
    const length = (known[phase] ?? 0) * scale
    if (length > 0) bars.push({ phase, from: at, to: at + length })
    at += length
  }
  return bars
}

/** Whether lengths of time are known of some of these; of calls that run, none is. */
export function haveEnded(counts: Counts): boolean {
  return (['succeeded', 'failed', 'aborted', 'timed_out'] as const).some((status) => counts[status])
}
