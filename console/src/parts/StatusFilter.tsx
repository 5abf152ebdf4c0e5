import type { Counts, RunStatus, Status } from '../api/types'
import { count } from '../lib/format'
import { STATUSES, STATUS_TEXT } from '../lib/status'
import { StatusMark } from './StatusMark'

interface Props {
  chosen: string[]
  choose: (statuses: string[]) => void
  /** With counts only statuses that occur are offered. */
  counts?: Counts
  offered?: readonly (Status | RunStatus)[]
}

/** One button per status; several can be chosen, none means all. */
export function StatusFilter({ chosen, choose, counts, offered = STATUSES }: Props) {
  const shown = offered.filter((status) => !counts || counts[status as Status] || chosen.includes(status))
  const toggle = (status: Status | RunStatus) =>
    choose(chosen.includes(status) ? chosen.filter((one) => one !== status) : [...chosen, status])
  return (
    <div className="chips" role="group" aria-label="Status">
      {shown.map((status) => (
        <button
          key={status}
          type="button"
          className="chip"
          aria-pressed={chosen.includes(status)}
          onClick={() => toggle(status)}
        >
          <StatusMark status={status} />
          {STATUS_TEXT[status]}
          {counts && <b>{count(counts[status as Status] ?? 0)}</b>}
        </button>
      ))}
    </div>
  )
}
