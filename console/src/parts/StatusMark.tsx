import type { RunStatus, Status } from '../api/types'
import { STATUS_TEXT } from '../lib/status'

/** Each status has a shape of its own, so that colour is never the only difference. */
const SHAPES: Record<Status | RunStatus, string> = {
  queued: 'M8 4.5v3.7l2.4 1.500',
  running: 'M6.600 5.300v5.400l4.200-2.700z',
  interrupted: 'M5 8h1.500M9.500 8h1.500',
  suspended: 'M6.300 5.500v5M9.700 5.500v5',
  succeeded: 'M5.200 8.300l2 2 3.700-4.300',
  failed: 'M5.800 5.800l4.400 4.400M10.200 5.800l-4.400 4.400',
  aborted: 'M4 12L12 4',
  timed_out: 'M8 4.500v4.200M8 11v.300',
}

export function StatusMark({ status }: { status: Status | RunStatus }) {
  return (
    <svg className={`mark is-${status}`} viewBox="0 0 16 16" width="14" height="14" role="img" aria-label={STATUS_TEXT[status]}>
      <circle cx="8" cy="8" r="6.500" />
      <path d={SHAPES[status]} />
    </svg>
  )
}

export function StatusPill({ status }: { status: Status | RunStatus }) {
  return (
    <span className={`pill is-${status}`}>
      <StatusMark status={status} />
      <span aria-hidden="true">{STATUS_TEXT[status]}</span>
    </span>
  )
}
