import type { Counts } from '../api/types'
import { count } from '../lib/format'
import { countOf, STATUSES, STATUS_TEXT } from '../lib/status'

export function countsText(counts: Counts): string {
  return STATUSES.filter((status) => counts[status])
    .map((status) => `${count(counts[status]!)} ${STATUS_TEXT[status].toLowerCase()}`)
    .join(', ')
}

/** How many of each status, as a bar; the text is in its title and for screen readers. */
export function CountsBar({ counts }: { counts: Counts }) {
  const total = countOf(counts)
  const text = countsText(counts) || 'nothing yet'
  let at = 0
  return (
    <svg className="counts-bar" width="100%" height="6" role="img" aria-label={text}>
      <title>{text}</title>
      {STATUSES.filter((status) => counts[status]).map((status) => {
        const from = at
        const share = (counts[status]! / total) * 100
        at += share
        return (
          <rect key={status} className={`fill is-${status}`} x={`${from}%`} width={`${Math.max(share, 0.6)}%`} height="6" />
        )
      })}
    </svg>
  )
}
