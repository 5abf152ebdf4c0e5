import { useEffect, useRef } from 'react'
import { Link, useLocation } from 'wouter'
import { type RunFilters, useRuns } from '../api/queries'
import type { Run } from '../api/types'
import { count, duration } from '../lib/format'
import { isTyping } from '../lib/keys'
import { useNow } from '../lib/now'
import { useFilters } from '../lib/search'
import { lengthOfRun, RUN_STATUSES, shownStatus } from '../lib/status'
import { CountsBar } from '../parts/Counts'
import { Moment } from '../parts/Moment'
import { Empty, ErrorNote, Skeleton } from '../parts/Notes'
import { StatusFilter } from '../parts/StatusFilter'
import { StatusPill } from '../parts/StatusMark'

const SPANS = [
  ['', 'Any time'],
  ['1h', 'Last hour'],
  ['1d', 'Last day'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
] as const
const SPAN_S: Record<string, number> = { '1h': 3600, '1d': 86_400, '7d': 604_800, '30d': 2_592_000 }

/** Whole minutes, so that the question stays the same while the page is open. */
function since(span: string): number | null {
  const length = SPAN_S[span]
  return length ? Math.floor((Date.now() / 1000 - length) / 60) * 60 : null
}

/** Runs as the list has them, so that the newer one is compared with the older. */
function inOrder(list: Run[], ids: string[]): string[] {
  const place = (id: string) => list.findIndex((run) => run.run_id === id)
  return [...ids].sort((one, other) => place(one) - place(other))
}

export function RunsPage() {
  const [params, change] = useFilters()
  const [, go] = useLocation()
  const now = useNow(1000)
  const filters: RunFilters = {
    status: params.getAll('status'),
    task: params.get('task') ?? '',
    labels: params.getAll('label'),
    after: since(params.get('time') ?? ''),
  }
  const runs = useRuns(filters)
  const list = runs.data?.pages.flatMap((page) => page.runs) ?? []
  const isFiltered = Boolean(filters.status.length || filters.task || filters.labels.length || filters.after)
  const compared = params.getAll('compare')
  const body = useRef<HTMLTableSectionElement>(null)
  const filterField = useRef<HTMLInputElement>(null)
  useRowKeys(body, filterField)

  return (
    <section className="page" aria-label="Runs">
      <div className="bar">
        <h1>Runs</h1>
        <input
          ref={filterField}
          className="search"
          type="search"
          placeholder="Task"
          aria-label="Task"
          aria-keyshortcuts="/"
          defaultValue={filters.task}
          onChange={(event) => change({ task: event.target.value.trim() })}
        />
        <LabelFilter labels={filters.labels} choose={(label) => change({ label })} />
        <select aria-label="Time" value={params.get('time') ?? ''} onChange={(event) => change({ time: event.target.value })}>
          {SPANS.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
        <StatusFilter offered={RUN_STATUSES} chosen={filters.status} choose={(status) => change({ status })} />
        <span className="grow" />
        <button
          type="button"
          disabled={compared.length !== 2}
          title={compared.length === 2 ? undefined : 'Tick two runs to compare them'}
          onClick={() => {
            const [after, before] = inOrder(list, compared)
            go(`/compare?a=${encodeURIComponent(before!)}&b=${encodeURIComponent(after!)}`)
          }}
        >
          Compare{compared.length ? ` (${compared.length} of 2)` : ''}
        </button>
      </div>
      {runs.isError && <ErrorNote error={runs.error} what="The runs could not be loaded." retry={() => void runs.refetch()} />}
      {runs.isPending && <Skeleton lines={10} height={40} />}
      {runs.data && list.length === 0 && <NoRuns isFiltered={isFiltered} clear={() => change({ status: [], task: null, label: [], time: null })} />}
      {list.length > 0 && (
        <div className="scroll">
          <table className="data runs">
            <thead>
              <tr>
                <th scope="col" className="tick">
                  <span className="unseen">Compare</span>
                </th>
                <th scope="col">Status</th>
                <th scope="col">Task</th>
                <th scope="col">Run</th>
                <th scope="col">Labels</th>
                <th scope="col" className="progress">
                  Actions
                </th>
                <th scope="col" className="number">
                  Duration
                </th>
                <th scope="col" className="number">
                  Created
                </th>
              </tr>
            </thead>
            <tbody ref={body}>
              {list.map((run) => (
                <RunLine
                  key={run.run_id}
                  run={run}
                  now={now}
                  isCompared={compared.includes(run.run_id)}
                  compare={(wanted) =>
                    change({
                      compare: wanted
                        ? [...compared.slice(-1), run.run_id]
                        : compared.filter((one) => one !== run.run_id),
                    })
                  }
                  addLabel={(label) => change({ label: [...new Set([...filters.labels, label])] })}
                />
              ))}
            </tbody>
          </table>
          {runs.hasNextPage && (
            <p className="more">
              <button type="button" disabled={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
                {runs.isFetchingNextPage ? 'Loading…' : 'Show older runs'}
              </button>
            </p>
          )}
        </div>
      )}
    </section>
  )
}

interface LineProps {
  run: Run
  now: number
  isCompared: boolean
  compare: (wanted: boolean) => void
  addLabel: (label: string) => void
}

function RunLine({ run, now, isCompared, compare, addLabel }: LineProps) {
  const href = `/runs/${encodeURIComponent(run.run_id)}`
  return (
    <tr>
      <td className="tick">
        <input type="checkbox" aria-label={`Compare ${run.run_id}`} checked={isCompared} onChange={(event) => compare(event.target.checked)} />
      </td>
      <td>
        <StatusPill status={shownStatus(run)} />
      </td>
      <td>
        <Link href={href} className="strong" data-row>
          {run.task}
        </Link>
        {run.error && (
          <div className="sub bad" title={run.error.message}>
            {run.error.code}: {run.error.message}
          </div>
        )}
      </td>
      <td>
        <code className="id">{run.run_id}</code>
      </td>
      <td>
        <span className="labels">
          {Object.entries(run.labels).map(([name, value]) => (
            <button key={name} type="button" className="label" title="Filter by this label" onClick={() => addLabel(`${name}=${value}`)}>
              {name}={value}
            </button>
          ))}
        </span>
      </td>
      <td className="progress">
        <span className="number">{count(run.actions)}</span>
        <CountsBar counts={run.counts} />
      </td>
      <td className="number">{duration(lengthOfRun(run, now))}</td>
      <td className="number">
        <Moment at={run.created_at} now={now} />
      </td>
    </tr>
  )
}

function LabelFilter({ labels, choose }: { labels: string[]; choose: (labels: string[]) => void }) {
  return (
    <>
      <input
        className="search"
        placeholder="Label: name=value"
        aria-label="Label, as name=value, then Enter"
        onKeyDown={(event) => {
          const text = event.currentTarget.value.trim()
          if (event.key !== 'Enter' || !/^[^=]+=/.test(text)) return
          choose([...new Set([...labels, text])])
          event.currentTarget.value = ''
        }}
      />
      {labels.map((label) => (
        <button
          key={label}
          type="button"
          className="label is-chosen"
          aria-label={`Do not filter by ${label}`}
          onClick={() => choose(labels.filter((one) => one !== label))}
        >
          {label} ✕
        </button>
      ))}
    </>
  )
}

function NoRuns({ isFiltered, clear }: { isFiltered: boolean; clear: () => void }) {
  if (isFiltered)
    return (
      <Empty title="No run matches the filters">
        <button type="button" onClick={clear}>
          Clear the filters
        </button>
      </Empty>
    )
  return (
    <Empty title="There are no runs yet">
      <p>Run a task, and it shows up here:</p>
      <pre>upwell run program.py main</pre>
    </Empty>
  )
}

/** j, k and the arrows go from run to run; `/` to the filter. */
function useRowKeys(body: React.RefObject<HTMLElement | null>, filter: React.RefObject<HTMLInputElement | null>) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event)) return
      const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key]
      if (event.key === '/') filter.current?.focus()
      else if (step) {
        const rows = [...(body.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])]
        const at = rows.indexOf(document.activeElement as HTMLElement)
        rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))]?.focus()
      } else return
      event.preventDefault()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [body, filter])
}
