import { Link } from 'wouter'
import type { RunDetail } from '../api/types'
import { counted, duration } from '../lib/format'
import { useNow } from '../lib/now'
import { isTerminal, lengthOfRun, shownStatus } from '../lib/status'
import { CopyButton } from '../parts/Commands'
import { Moment } from '../parts/Moment'
import { StatusPill } from '../parts/StatusMark'
import { Steering } from './Steering'

const TABS = [
  ['actions', 'Actions', ''],
  ['profile', 'Profile and cost', '/profile'],
] as const

/** A stretch of a run's time, as the address of its page has it: seconds from its begin. */
function stretch(run: RunDetail, from: number, to: number): string {
  return `zoom=${(from - run.created_at).toFixed(3)}-${(to - run.created_at).toFixed(3)}`
}

/** Leads to the time since the run was recovered; what took how long counts from there. */
function Generation({ run, base, now }: { run: RunDetail; base: string; now: number }) {
  return (
    <Link href={`${base}?${stretch(run, run.began_at, run.ended_at ?? now)}`} title="It was recovered; what had succeeded was not done again. Shows the time since then.">
      Generation {run.generation}, since <Moment at={run.began_at} now={now} />
    </Link>
  )
}

export function RunHeader({ run, page }: { run: RunDetail; page: 'actions' | 'profile' }) {
  const now = useNow(1000)
  const base = `/runs/${encodeURIComponent(run.run_id)}`
  return (
    <div className="run-head">
      <div className="bar">
        <h1>{run.task}</h1>
        <StatusPill status={shownStatus(run)} />
        <code className="id">{run.run_id}</code>
        <CopyButton text={run.run_id} label="Copy id" />
        <span className="grow" />
        <Steering run={run} />
      </div>
      <div className="facts">
        {(isTerminal(run.status) || run.alive) && (
          <span>
            {isTerminal(run.status) ? 'Took' : 'Runs for'} <b>{duration(lengthOfRun(run, now))}</b>
          </span>
        )}
        <span>
          Started <Moment at={run.created_at} now={now} />
        </span>
        <span>{counted(run.actions, 'action')}</span>
        {run.generation > 1 && <Generation run={run} base={base} now={now} />}
        {run.bundle && (
          <span title={`Code bundle ${run.bundle}`}>
            Code <code>{run.bundle.slice(0, 12)}</code>
          </span>
        )}
        {Object.entries(run.labels).map(([name, value]) => (
          <Link key={name} className="label" href={`/?label=${encodeURIComponent(`${name}=${value}`)}`}>
            {name}={value}
          </Link>
        ))}
        <span className="grow" />
        <nav className="tabs" aria-label="Views of the run">
          {TABS.map(([name, text, path]) => (
            <Link key={name} href={base + path} aria-current={name === page ? 'page' : undefined}>
              {text}
            </Link>
          ))}
        </nav>
      </div>
      {!run.alive && !isTerminal(run.status) && (
        <div className="note is-warning">
          <div>
            <strong>The process of this run is gone.</strong>
            <div>Recover it, and it goes on from what it had written down.</div>
          </div>
        </div>
      )}
      {run.error && page === 'actions' && (
        <div className="note is-bad">
          <div>
            <strong>{run.error.code}</strong>
            <div className="clip">{run.error.message}</div>
          </div>
          <Link className="button" href={`${base}?status=failed&action=${encodeURIComponent(run.root)}`}>
            Show what failed
          </Link>
        </div>
      )}
    </div>
  )
}
