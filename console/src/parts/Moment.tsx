import { ago, instant } from '../lib/format'

/** How long ago, with the exact time on hover. */
export function Moment({ at, now }: { at: number | null; now: number }) {
  if (!at) return <span className="muted">–</span>
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={instant(at)}>
      {ago(at, now)}
    </time>
  )
}
