import { memo } from 'react'
import type { Row, Summary } from '../api/types'
import { count, duration, groupName } from '../lib/format'
import { countOf, haveEnded, STATUS_TEXT } from '../lib/status'
import { CountsBar, countsText } from '../parts/Counts'
import { StatusMark } from '../parts/StatusMark'
import { ExtentBar, PhaseBar } from './PhaseBar'

interface Place {
  depth: number
  isOpen: boolean
}

function Twisty({ isOpen, canOpen, name }: { isOpen: boolean; canOpen: boolean; name: string }) {
  return (
    <span className={`twisty${canOpen ? '' : ' is-leaf'}`} data-twisty={canOpen || undefined} title={canOpen ? `${isOpen ? 'Fold' : 'Unfold'} ${name}` : undefined}>
      {canOpen ? (isOpen ? '▾' : '▸') : ''}
    </span>
  )
}

function GroupTag({ group, task }: { group: string; task: string }) {
  return (
    <span className="tag" title={`Group ${group}`}>
      {groupName(group, task)}
    </span>
  )
}

/** The function's name of a task's full name. */
function shortName(task: string): string {
  return task.slice(task.lastIndexOf('.') + 1)
}

function indent(depth: number) {
  return { paddingLeft: 8 + Math.min(depth, 12) * 16 }
}

interface ActionProps extends Place {
  row: Row
  canOpen: boolean
  /** Whether the line above it says of which group it is. */
  isGrouped: boolean
  start: number
  end: number
  now: number
}

export const ActionCells = memo(function ActionCells({ row, canOpen, isGrouped, depth, isOpen, start, end, now }: ActionProps) {
  const length = row.started_at === null ? null : (row.ended_at ?? now) - row.started_at
  return (
    <>
      <div className="cell name" role="gridcell" style={indent(depth)}>
        <Twisty isOpen={isOpen} canOpen={canOpen} name={row.name} />
        <StatusMark status={row.status} />
        <span className="task">{row.name}</span>
        {row.group && !isGrouped && <GroupTag group={row.group} task={row.task} />}
        {row.items > 1 && <span className="muted">{count(row.items)} items</span>}
        <code className="id">{row.action_id}</code>
      </div>
      <div className="cell state" role="gridcell">
        {row.error_code ? (
          <span className="bad" title={row.error_code}>
            {row.error_code}
          </span>
        ) : row.cached ? (
          <span className="tag">cached</span>
        ) : (
          <span className="muted">{STATUS_TEXT[row.status]}</span>
        )}
        {row.attempts > 1 && (
          <span className="muted" title={`${row.attempts} attempts`}>
            ↻{row.attempts}
          </span>
        )}
      </div>
      <div className="cell number" role="gridcell">
        {duration(length)}
      </div>
      <div className="cell time" role="gridcell">
        <PhaseBar row={row} start={start} end={end} now={now} />
      </div>
    </>
  )
})

interface SummaryProps extends Place {
  summary: Summary
  start: number
  end: number
  now: number
}

export function SummaryCells({ summary, depth, isOpen, start, end, now }: SummaryProps) {
  const n = countOf(summary.counts)
  const failed = (summary.counts.failed ?? 0) + (summary.counts.timed_out ?? 0)
  return (
    <>
      <div className="cell name" role="gridcell" style={indent(depth)}>
        <Twisty isOpen={isOpen} canOpen name={summary.task} />
        <span className="task strong" title={summary.task}>
          {shortName(summary.task)}
        </span>
        <span className="strong">×&#8202;{count(n)}</span>
        {summary.group && <GroupTag group={summary.group} task={summary.task} />}
      </div>
      <div className="cell state" role="gridcell" title={countsText(summary.counts)}>
        <CountsBar counts={summary.counts} />
        {failed > 0 && <span className="bad">{count(failed)}</span>}
      </div>
      <div className="cell number" role="gridcell" title="Half of them took at most so long">
        {duration(haveEnded(summary.counts) ? summary.p50_s : null)}
      </div>
      <div className="cell time is-summary" role="gridcell">
        <ExtentBar from={summary.first_queued_at} to={summary.last_ended_at ?? now} start={start} end={end} />
        {haveEnded(summary.counts) && (
          <span className="spread">
            p90 {duration(summary.p90_s)} · p99 {duration(summary.p99_s)} · max {duration(summary.max_s)}
          </span>
        )}
      </div>
    </>
  )
}

export function LoadingCells({ depth }: { depth: number }) {
  return (
    <>
      <div className="cell name is-loading" role="gridcell" style={indent(depth)} aria-label="Loading">
        <i />
      </div>
      <div className="cell" role="gridcell" />
      <div className="cell" role="gridcell" />
      <div className="cell time is-loading" role="gridcell">
        <i />
      </div>
    </>
  )
}
