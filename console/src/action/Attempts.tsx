import type { Attempt, Phase } from '../api/types'
import { duration } from '../lib/format'
import { PHASES } from '../lib/status'
import { Moment } from '../parts/Moment'

const SHOWN: readonly Phase[] = PHASES.map(({ phase }) => phase)

/** Each attempt: who made it, when, how it ended, and where its time went. */
export function Attempts({ attempts, now }: { attempts: Attempt[]; now: number }) {
  if (!attempts.length) return <p className="muted">No executor has taken it yet.</p>
  const isRecovered = attempts.at(-1)!.generation > 1
  const most = Math.max(...attempts.map(lengthOf), 1e-6)
  return (
    <ol className="attempts">
      {[...attempts].reverse().map((attempt) => (
        <li key={attempt.number}>
          <div className="attempt-head">
            <b>Attempt {attempt.number}</b>
            {isRecovered && <span className="muted">generation {attempt.generation}</span>}
            <span className={attempt.error ? 'bad' : undefined}>{attempt.end ?? 'running'}</span>
            <span className="grow" />
            <Moment at={attempt.started_at} now={now} />
          </div>
          <PhaseStack attempt={attempt} most={most} />
          <div className="facts">
            {SHOWN.filter((phase) => attempt.phases[phase]).map((phase) => (
              <span key={phase}>
                <i className={`phase is-${phase}`} /> {phase} {duration(attempt.phases[phase])}
              </span>
            ))}
          </div>
          <div className="muted">
            {attempt.executor.kind} <code className="wrap">{attempt.executor.id}</code>
          </div>
          {attempt.note && <div>{attempt.note}</div>}
          {attempt.error && (
            <div className="bad">
              {attempt.error.code}: {attempt.error.message}
            </div>
          )}
        </li>
      ))}
    </ol>
  )
}

function lengthOf({ phases }: Attempt): number {
  return SHOWN.reduce((sum, phase) => sum + (phases[phase] ?? 0), 0)
}

function PhaseStack({ attempt, most }: { attempt: Attempt; most: number }) {
  let at = 0
  return (
    <svg className="phases" width="100%" height="10" aria-hidden="true">
      {SHOWN.map((phase) => {
        const x = at
        const width = ((attempt.phases[phase] ?? 0) / most) * 100
        at += width
        return <rect key={phase} className={`phase is-${phase}`} x={`${x}%`} width={`${width}%`} height="10" />
      })}
    </svg>
  )
}
