import type { Counts, Order, Phase, Phases, Row, Status } from '../api/types'

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

/** A run waits and sleeps only in its actions. */
export const RUN_STATUSES = STATUSES.filter((status) => status !== 'queued' && status !== 'suspended')

export const STATUS_TEXT: Record<Status, string> = {
  queued: 'Queued',
  running: 'Running',
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
}

/**
 * Where the phases of an action's last attempt lie, in epoch seconds. Known lengths are laid end to end so that they
 * finish with the action; what they do not cover belongs to `queued` before the start and to `run` after it.
 */
export function barsOf(row: Row, now: number): Bar[] {
  const end = row.ended_at ?? now
  if (row.started_at === null) return [{ phase: 'queued', from: row.queued_at, to: Math.max(end, row.queued_at) }]
  const bars: Bar[] = [{ phase: 'queued', from: row.queued_at, to: row.started_at }]
  let at = row.started_at
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
