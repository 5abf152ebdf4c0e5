import { scaleLog } from '@visx/scale'
import { useState } from 'react'
import { useTaskSummaries } from '../api/queries'
import type { Percentiles, TaskStats } from '../api/types'
import { count, duration } from '../lib/format'
import { haveEnded } from '../lib/status'
import { CountsBar, countsText } from '../parts/Counts'

const SHOWN = 5
const RANGE = { width: 160, height: 16 }

interface Props {
  run: string
  /** Known at once, and with them the table's height; the lengths of time come later. */
  tasks: TaskStats[]
  chosen: string
  choose: (task: string) => void
}

/** What the run did, by task: how many, how long, what failed. */
export function TaskSummary({ run, tasks, chosen, choose }: Props) {
  const { data: summaries } = useTaskSummaries(run)
  const [isAll, setAll] = useState(false)
  if (!tasks.length) return null
  const found = summaries?.map(({ task }) => task) ?? []
  const place = ({ task }: TaskStats) => (found.includes(task) ? found.indexOf(task) : found.length)
  const ordered = [...tasks].sort((one, other) => place(one) - place(other))
  const shown = isAll ? ordered : ordered.slice(0, SHOWN)
  const lengths = (summaries ?? []).flatMap(({ p50_s, max_s }) => [p50_s, max_s]).filter((length): length is number => Boolean(length))
  const scale = scaleLog({
    domain: [Math.max(1e-4, Math.min(...lengths, 1) / 2), Math.max(...lengths, 0.001) * 1.5],
    range: [0, RANGE.width],
    clamp: true,
  })
  return (
    <div className="tasks">
      <table className="data">
        <caption className="unseen">Tasks of the run</caption>
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col" className="number">
              Actions
            </th>
            <th scope="col" className="progress">
              <span className="unseen">Statuses</span>
            </th>
            <th scope="col" className="number">
              Failed
            </th>
            <th scope="col" className="number">
              Cached
            </th>
            {['p50', 'p90', 'p99', 'max'].map((name) => (
              <th key={name} scope="col" className="number">
                {name}
              </th>
            ))}
            <th scope="col">
              <span title="From p50 to max on a logarithmic scale; the marks are p90 and p99">Spread</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((task) => {
            const summary = summaries?.find((one) => one.task === task.task)
            const lengths = haveEnded(task.counts) ? summary : undefined
            const failed = (task.counts.failed ?? 0) + (task.counts.timed_out ?? 0)
            return (
              <tr key={task.task} className={chosen === task.task ? 'is-chosen' : undefined}>
                <td>
                  <button type="button" className="link" aria-pressed={chosen === task.task} title="Show only its actions" onClick={() => choose(task.task)}>
                    {task.task}
                  </button>
                </td>
                <td className="number">{count(task.actions)}</td>
                <td className="progress">
                  <CountsBar counts={task.counts} />
                </td>
                <td className={`number${failed ? ' bad' : ' muted'}`} title={failed ? countsText(task.counts) : undefined}>{count(failed)}</td>
                <td className={`number${summary?.cached ? '' : ' muted'}`}>{count(summary?.cached ?? 0)}</td>
                <td className="number">{duration(lengths?.p50_s)}</td>
                <td className="number">{duration(lengths?.p90_s)}</td>
                <td className="number">{duration(lengths?.p99_s)}</td>
                <td className="number">{duration(lengths?.max_s)}</td>
                <td>
                  {lengths && <Range summary={lengths} scale={scale} />}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
      {tasks.length > SHOWN && (
        <button type="button" className="link" onClick={() => setAll(!isAll)}>
          {isAll ? 'Show fewer' : `Show all ${tasks.length} tasks`}
        </button>
      )}
    </div>
  )
}

function isKnown(length: number | null | undefined): length is number {
  return typeof length === 'number'
}

function Range({ summary, scale }: { summary: Percentiles; scale: (seconds: number) => number | undefined }) {
  const { p50_s, p90_s, p99_s, max_s } = summary
  if (!isKnown(p50_s) || !isKnown(max_s)) return null
  const x = (seconds: number) => scale(Math.max(seconds, 1e-4)) ?? 0
  const middle = RANGE.height / 2
  return (
    <svg {...RANGE} className="range" aria-hidden="true">
      <line x1={x(p50_s)} x2={x(max_s)} y1={middle} y2={middle} />
      <line x1={x(p50_s)} x2={x(p90_s ?? p50_s)} y1={middle} y2={middle} className="is-usual" />
      <circle cx={x(p50_s)} cy={middle} r="3.500" />
      {[p90_s, p99_s].filter(isKnown).map((at, n) => <line key={n} x1={x(at)} x2={x(at)} y1={middle - 4} y2={middle + 4} />)}
      <circle cx={x(max_s)} cy={middle} r="2" className="is-most" />
    </svg>
  )
}
