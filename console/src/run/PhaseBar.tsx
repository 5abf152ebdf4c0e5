import { memo } from 'react'
import type { Row } from '../api/types'
import { duration } from '../lib/format'
import { type Bar, barsOf, endedBadly, isBad, PHASES } from '../lib/status'

export interface Span {
  start: number
  end: number
}

function place(at: number, { start, end }: Span): number {
  return ((at - start) / Math.max(end - start, 1e-6)) * 100
}

const HEIGHTS = { queued: 3, start: 10, data: 10, run: 10, record: 10 }
const TEXT = Object.fromEntries(PHASES.map(({ phase, text }) => [phase, text]))

function textOf({ phase, from, to, end }: Bar): string[] {
  if (end === null) return []
  return [`${end === undefined ? TEXT[phase] : `An attempt, ${end}`} ${duration(to - from)}`]
}

/** Where something ended: never less than a pixel, however short. */
function Edge({ at, bad }: { at: number; bad: boolean }) {
  return <rect className={`phase-end${bad ? ' is-bad' : ''}`} x={`${at}%`} transform={`translate(${bad ? -3 : -1})`} y={bad ? 1 : 3} width={bad ? 3 : 1} height={bad ? 14 : 10} />
}

/** The attempts of an action on the run's time. What waits is thin, what works is thick; what failed ends in a red edge. */
export const PhaseBar = memo(function PhaseBar({ row, start, end, now }: { row: Row; now: number } & Span) {
  const span = { start, end }
  const bars = barsOf(row, now)
  const last = bars.at(-1)!
  const title = bars.flatMap(textOf).join(' · ')
  return (
    <svg className="phases" width="100%" height="16" role="img" aria-label={title}>
      <title>{title}</title>
      {bars.map(({ phase, from, to }, index) => {
        const height = HEIGHTS[phase]
        const x = place(from, span)
        return (
          <rect
            key={index}
            className={`phase is-${phase}${row.cached ? ' is-cached' : ''}`}
            x={`${x}%`}
            y={8 - height / 2}
            width={`${Math.max(place(to, span) - x, 0)}%`}
            height={height}
          />
        )
      })}
      {bars.map((bar, index) => bar.end && bar !== last && <Edge key={index} at={place(bar.to, span)} bad={endedBadly(bar)} />)}
      <Edge at={place(last.to, span)} bad={isBad(row.status) || endedBadly(last)} />
    </svg>
  )
})

/** From the first call to the last end of what a summary sums up. */
export function ExtentBar({ from, to, start, end }: { from: number; to: number } & Span) {
  const x = place(from, { start, end })
  return (
    <svg className="phases" width="100%" height="4" aria-hidden="true">
      <rect className="extent" x={`${x}%`} width={`${Math.max(place(to, { start, end }) - x, 0.2)}%`} height="4" />
    </svg>
  )
}
