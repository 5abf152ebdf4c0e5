import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { Profile, TaskProfile } from '../api/documents'
import { useProfile } from '../api/queries'
import { change, count, duration, percent, usd } from '../lib/format'
import { useFilters } from '../lib/search'
import { Empty, ErrorNote, Skeleton } from '../parts/Notes'
import { Waterfall } from './Waterfall'

/** Two runs side by side: what became longer, shorter, dearer. */
export function ComparePage() {
  const [params] = useFilters()
  const [a, b] = [params.get('a') ?? '', params.get('b') ?? '']
  const before = useProfile(a)
  const after = useProfile(b)
  if (!a || !b)
    return (
      <Empty title="Choose two runs">
        <p>
          Tick two <Link href="/">runs</Link>, then Compare.
        </p>
      </Empty>
    )
  return (
    <section className="page sheet" aria-label="Comparison">
      <h1>Comparison</h1>
      {before.isError && <ErrorNote error={before.error} what={`Run ${a} could not be loaded.`} retry={() => void before.refetch()} />}
      {after.isError && <ErrorNote error={after.error} what={`Run ${b} could not be loaded.`} retry={() => void after.refetch()} />}
      {(before.isPending || after.isPending) && <Skeleton lines={12} />}
      {before.data && after.data && <Comparison before={before.data} after={after.data} />}
    </section>
  )
}

function Comparison({ before, after }: { before: Profile; after: Profile }) {
  const names = [...new Set([...before.tasks, ...after.tasks].map(({ task }) => task))]
  const pairs = names.map((name) => ({
    name,
    one: before.tasks.find(({ task }) => task === name),
    other: after.tasks.find(({ task }) => task === name),
  }))
  return (
    <>
      <table className="data compare">
        <thead>
          <tr>
            <th scope="col" />
            <RunHead run={before} />
            <RunHead run={after} />
            <th scope="col" className="number">
              Change
            </th>
          </tr>
        </thead>
        <tbody>
          <Line name="Length" a={before.wall_s} b={after.wall_s} show={duration} />
          <Line name="Executor time" a={before.busy_s} b={after.busy_s} show={duration} />
          <Line name="Critical path" a={before.critical_path.length_s} b={after.critical_path.length_s} show={duration} />
          <Line name="Cost on AWS" a={before.usd} b={after.usd} show={usd} />
          {pairs.map(({ name, one, other }) => (
            <TaskLines key={name} name={name} one={one} other={other} />
          ))}
        </tbody>
      </table>
      {pairs.map(({ name, one, other }) =>
        one?.measured && other?.measured ? (
          <section key={name} className="part">
            <h3>{name}</h3>
            <div className="pair">
              <Waterfall task={one} longest_s={longest(one, other)} />
              <Waterfall task={other} longest_s={longest(one, other)} />
            </div>
          </section>
        ) : null,
      )}
    </>
  )
}

/** Both waterfalls have the same scale: room for the sums of all p90. */
function longest(one: TaskProfile, other: TaskProfile): number {
  const sum = (task: TaskProfile) => Object.values(task.phases_s).reduce((all, { p90 }) => all + p90, task.noticed_s.mean ?? 0)
  return Math.max(sum(one), sum(other))
}

function RunHead({ run }: { run: Profile }) {
  return (
    <th scope="col" className="number">
      <Link href={`/runs/${encodeURIComponent(run.run)}/profile`}>{run.run}</Link>
      <div className="muted">{run.status}</div>
    </th>
  )
}

interface LineProps {
  name: ReactNode
  a: number | null | undefined
  b: number | null | undefined
  show: (value: number) => string
  /** Whether less of it is better. */
  isCost?: boolean
}

function Line({ name, a, b, show, isCost = true }: LineProps) {
  const both = typeof a === 'number' && typeof b === 'number'
  const rise = isCost && both && a > 0 ? (b - a) / a : 0
  return (
    <tr>
      <th scope="row">{name}</th>
      <td className="number">{typeof a === 'number' ? show(a) : '–'}</td>
      <td className="number">{typeof b === 'number' ? show(b) : '–'}</td>
      <td className={`number${rise > 0.05 ? ' bad' : rise < -0.05 ? ' good' : ' muted'}`}>{both ? change(a, b) : ''}</td>
    </tr>
  )
}

function TaskLines({ name, one, other }: { name: string; one: TaskProfile | undefined; other: TaskProfile | undefined }) {
  return (
    <>
      <tr className="group">
        <th scope="rowgroup" colSpan={4}>
          {name}
        </th>
      </tr>
      <Line name="Actions" a={one?.actions} b={other?.actions} show={count} isCost={false} />
      <Line name="Runtime p50" a={one?.runtime_s.p50} b={other?.runtime_s.p50} show={duration} />
      <Line name="Runtime p99" a={one?.runtime_s.p99} b={other?.runtime_s.p99} show={duration} />
      <Line name="Overhead" a={one?.overhead_s} b={other?.overhead_s} show={duration} />
      <Line name="Overhead / runtime" a={one?.overhead_ratio} b={other?.overhead_ratio} show={percent} />
      <Line name="Cost" a={one?.usd} b={other?.usd} show={usd} />
    </>
  )
}
