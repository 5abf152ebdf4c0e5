import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { Link } from 'wouter'
import { ActionPanel } from '../action/ActionPanel'
import { isNotFound } from '../api/client'
import { useRun, useTimeline } from '../api/queries'
import type { Order, RunDetail } from '../api/types'
import { duration } from '../lib/format'
import { isTyping } from '../lib/keys'
import { useNow } from '../lib/now'
import { useFilters } from '../lib/search'
import { isTerminal, ORDERS, PHASES } from '../lib/status'
import { Empty, ErrorNote, Skeleton } from '../parts/Notes'
import { StatusFilter } from '../parts/StatusFilter'
import { LoadChart } from './LoadChart'
import { RunHeader } from './RunHeader'
import { TaskSummary } from './TaskSummary'
import { TreeView } from './TreeView'
import { prefetchTree, type TreeQuestion } from './useTree'

function questionOf(run: string, params: URLSearchParams): TreeQuestion {
  const order = ORDERS.find(({ value }) => value === params.get('order'))?.value ?? 'called'
  return { run, order, status: params.getAll('status'), task: params.get('task') ?? '' }
}

export function RunPage({ run }: { run: string }) {
  const query = useRun(run)
  const client = useQueryClient()
  const [params] = useFilters()
  useState(() => prefetchTree(client, questionOf(run, params)))
  useEffect(() => {
    document.title = query.data ? `${query.data.task} · ${run}` : run
    return () => {
      document.title = 'upwell'
    }
  }, [query.data, run])
  if (isNotFound(query.error))
    return (
      <Empty title={`There is no run ${run}`}>
        <p>It was never here, or has expired.</p>
        <p>
          <Link href="/">Show the runs</Link>
        </p>
      </Empty>
    )
  if (query.isError && !query.data)
    return <ErrorNote error={query.error} what={`Run ${run} could not be loaded.`} retry={() => void query.refetch()} />
  if (!query.data) return <Skeleton lines={16} />
  return (
    <section className="page run" aria-label={`Run ${run}`}>
      <RunHeader run={query.data} page="actions" />
      {query.isError && <ErrorNote error={query.error} what="What you see may be old." retry={() => void query.refetch()} />}
      <Actions run={query.data} />
    </section>
  )
}

function Actions({ run }: { run: RunDetail }) {
  const [params, change] = useFilters()
  const now = useNow(isTerminal(run.status) ? null : 1000)
  const timeline = useTimeline(run.run_id)
  const question = questionOf(run.run_id, params)
  const { order, status, task } = question
  const selected = params.get('action')
  const whole = { start: run.created_at, end: run.ended_at ?? Math.max(now, run.created_at + 1) }
  const zoom = zoomOf(params.get('zoom'))
  const span = zoom ? { start: whole.start + zoom[0], end: whole.start + zoom[1] } : whole
  const taskField = useRef<HTMLSelectElement>(null)
  usePageKeys(taskField, order, change, selected !== null)

  return (
    <>
      <TaskSummary run={run.run_id} tasks={run.tasks} chosen={task} choose={(wanted) => change({ task: wanted === task ? null : wanted })} />
      <div className="bar">
        <StatusFilter chosen={status} choose={(wanted) => change({ status: wanted })} counts={run.counts} />
        <select
          ref={taskField}
          aria-label="Task"
          aria-keyshortcuts="/"
          value={task}
          onChange={(event) => change({ task: event.target.value })}
        >
          <option value="">All tasks</option>
          {run.tasks.map((one) => (
            <option key={one.task}>{one.task}</option>
          ))}
        </select>
        <div className="segmented" role="radiogroup" aria-label="Order">
          {ORDERS.map(({ value, text, hint }) => (
            <button key={value} type="button" role="radio" aria-checked={value === order} title={hint} onClick={() => change({ order: value === 'called' ? null : value })}>
              {text}
            </button>
          ))}
        </div>
        <span className="grow" />
        {zoom && (
          <button type="button" className="label is-chosen" onClick={() => change({ zoom: null })}>
            {duration(zoom[1] - zoom[0])} of the run ✕
          </button>
        )}
        <Legend />
      </div>
      <div className="split">
        <TreeView
          key={JSON.stringify([order, status, task])}
          question={question}
          span={span}
          now={now}
          selected={selected}
          select={(action) => change({ action })}
          clearFilters={() => change({ status: [], task: null })}
          head={
            <LoadChart
              timeline={timeline.data}
              begin={whole.start}
              recovered={run.generation > 1 ? run.began_at : null}
              zoomTo={(from, to) => change({ zoom: `${from.toFixed(3)}-${to.toFixed(3)}` })}
              {...span}
            />
          }
        />
        {selected !== null && (
          <ActionPanel key={selected} run={run} action={selected} close={() => change({ action: null })} show={(action) => change({ action })} />
        )}
      </div>
    </>
  )
}

/** A stretch of the run, in seconds from its begin. */
function zoomOf(text: string | null): [number, number] | null {
  const [from, to] = (text ?? '').split('-').map(Number)
  return from !== undefined && to !== undefined && to > from ? [from, to] : null
}

function Legend() {
  return (
    <ul className="legend" aria-label="Phases">
      {PHASES.map(({ phase, text, hint }) => (
        <li key={phase} title={hint}>
          <i className={`phase is-${phase}`} />
          {text}
        </li>
      ))}
    </ul>
  )
}

type Change = ReturnType<typeof useFilters>[1]

function usePageKeys(field: React.RefObject<HTMLSelectElement | null>, order: Order, change: Change, isPanel: boolean): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event)) return
      if (event.key === '/') field.current?.focus()
      else if (event.key === 'Escape' && isPanel) change({ action: null })
      else if (event.key === 'o') {
        const next = ORDERS[(ORDERS.findIndex(({ value }) => value === order) + 1) % ORDERS.length]!
        change({ order: next.value === 'called' ? null : next.value })
      } else return
      event.preventDefault()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [field, order, change, isPanel])
}
