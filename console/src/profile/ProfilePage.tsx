import { useState } from 'react'
import { useLocation } from 'wouter'
import { useCost, useProfile, useRun } from '../api/queries'
import type { Advice, Cost, Profile, TaskCost, TaskProfile } from '../api/documents'
import { count, duration, percent, usd } from '../lib/format'
import { columnsOf, DataTable } from '../parts/DataTable'
import { Empty, ErrorNote, Skeleton } from '../parts/Notes'
import { RunHeader } from '../run/RunHeader'
import { Waterfall } from './Waterfall'

export function ProfilePage({ run }: { run: string }) {
  const head = useRun(run)
  const profile = useProfile(run)
  const cost = useCost(run)
  return (
    <section className="page sheet" aria-label={`Profile of ${run}`}>
      {head.data ? <RunHeader run={head.data} page="profile" /> : <Skeleton lines={2} />}
      {profile.isError && <ErrorNote error={profile.error} what="The profile could not be made." retry={() => void profile.refetch()} />}
      {profile.isPending && <Skeleton lines={14} />}
      {profile.data && <ProfileBody run={run} profile={profile.data} />}
      {cost.isError && <ErrorNote error={cost.error} what="The cost could not be worked out." retry={() => void cost.refetch()} />}
      {cost.isPending && <Skeleton lines={6} />}
      {cost.data && <CostBody cost={cost.data} />}
    </section>
  )
}

const task = columnsOf<TaskProfile>()
const TASK_COLUMNS = task.columns([
  task.accessor('task', { header: 'Task' }),
  task.accessor('actions', { header: 'Actions', cell: ({ getValue }) => count(getValue()) }),
  task.accessor('cached', { header: 'Cached', cell: ({ getValue }) => count(getValue()) }),
  task.accessor('failed', { header: 'Failed attempts', cell: ({ getValue }) => count(getValue()) }),
  task.accessor((row) => row.runtime_s.p50, { id: 'p50', header: 'Runtime p50', cell: ({ getValue }) => duration(getValue()) }),
  task.accessor((row) => row.runtime_s.p99, { id: 'p99', header: 'p99', cell: ({ getValue }) => duration(getValue()) }),
  task.accessor('overhead_s', { id: 'overhead', header: 'Overhead', cell: ({ getValue }) => duration(getValue()) }),
  task.accessor((row) => row.overhead_ratio ?? -1, {
    id: 'ratio',
    header: 'Overhead / runtime',
    cell: ({ row }) => {
      const ratio = row.original.overhead_ratio
      return ratio === null ? '–' : <span className={ratio > 0.1 ? 'warn' : undefined}>{percent(ratio)}</span>
    },
  }),
  task.accessor('cold_starts', { id: 'cold', header: 'Cold starts', cell: ({ getValue }) => count(getValue()) }),
  task.accessor('cost_share', { id: 'share', header: 'Of the cost', cell: ({ getValue }) => percent(getValue()) }),
])
const TASK_NUMBERS = ['actions', 'cached', 'failed', 'p50', 'p99', 'overhead', 'ratio', 'cold', 'share']

function ProfileBody({ run, profile }: { run: string; profile: Profile }) {
  const measured = profile.tasks.filter((one) => one.measured > 0)
  const [chosen, setChosen] = useState('')
  const shown = measured.find((one) => one.task === chosen) ?? measured[0]
  return (
    <>
      <div className="figures">
        <Figure name="Length" value={duration(profile.wall_s)} />
        <Figure name="Executor time" value={duration(profile.busy_s)} />
        <Figure name="Critical path" value={duration(profile.critical_path.length_s)} />
        <Figure name="On AWS" value={usd(profile.usd)} />
        <CompareField run={run} />
      </div>
      <AdviceList advice={profile.advice} />
      <section className="part">
        <h3>Tasks</h3>
        <DataTable caption="Tasks" columns={TASK_COLUMNS} rows={profile.tasks} numbers={TASK_NUMBERS} />
      </section>
      <section className="part">
        <div className="bar">
          <h3>Where an action spends its time</h3>
          {measured.length > 1 && (
            <select aria-label="Task" value={shown?.task ?? ''} onChange={(event) => setChosen(event.target.value)}>
              {measured.map((one) => (
                <option key={one.task}>{one.task}</option>
              ))}
            </select>
          )}
        </div>
        {shown ? <Waterfall task={shown} /> : <p className="muted">No attempt has been measured yet.</p>}
      </section>
      <CriticalPath profile={profile} />
    </>
  )
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className="figure">
      <span>{name}</span>
      <b>{value}</b>
    </div>
  )
}

function CompareField({ run }: { run: string }) {
  const [, go] = useLocation()
  const [other, setOther] = useState('')
  return (
    <form
      className="figure is-form"
      onSubmit={(event) => {
        event.preventDefault()
        if (other.trim()) go(`/compare?a=${encodeURIComponent(other.trim())}&b=${encodeURIComponent(run)}`)
      }}
    >
      <label htmlFor="compare-with">Compare with</label>
      <span className="bar">
        <input id="compare-with" placeholder="Id of a run" value={other} onChange={(event) => setOther(event.target.value)} />
        <button type="submit" disabled={!other.trim()}>
          Compare
        </button>
      </span>
    </form>
  )
}

function AdviceList({ advice }: { advice: Advice[] }) {
  return (
    <section className="part">
      <h3>Advice</h3>
      {!advice.length && <p className="muted">Nothing to change would save 5 % of the run.</p>}
      <ul className="advice">
        {advice.map((one) => (
          <li key={one.kind + one.task}>
            <div>
              <span className="tag">{one.kind}</span> <b>{one.task}</b>
            </div>
            <p>{one.text}</p>
            <p className="muted">
              Saves about {duration(one.saves.wall_s)} of the run, {duration(one.saves.busy_s)} of executors, {usd(one.saves.usd)}.
            </p>
          </li>
        ))}
      </ul>
    </section>
  )
}

function CriticalPath({ profile }: { profile: Profile }) {
  const { by_phase, length_s, followed_s } = profile.critical_path
  if (!by_phase.length) return null
  return (
    <section className="part">
      <h3>What the length of the run is made of</h3>
      <p className="muted">
        The critical path by task and phase. What is not on it could be faster, and the run would take as long.
        {followed_s < 0.999 * length_s && ` Shares are those of its last ${duration(followed_s)}.`}
      </p>
      <table className="data shares">
        <tbody>
          {by_phase.slice(0, 12).map((one) => (
            <tr key={one.task + one.phase}>
              <th scope="row">
                {one.task} <span className="muted">{one.phase}</span>
              </th>
              <td className="number">{duration(one.length_s)}</td>
              <td className="number">{percent(one.length_s / Math.max(length_s, 1e-9))}</td>
              <td className="share">
                <svg width="100%" height="8" aria-hidden="true">
                  <rect className="extent" width={`${(one.length_s / Math.max(length_s, 1e-9)) * 100}%`} height="8" />
                </svg>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

type CostLine = TaskCost & { name: string }
const line = columnsOf<CostLine>()
const COST_COLUMNS = line.columns([
  line.accessor('name', { header: 'Task' }),
  line.accessor('actions', { header: 'Actions', cell: ({ getValue }) => count(getValue()) }),
  line.accessor('attempts', { header: 'Attempts', cell: ({ getValue }) => count(getValue()) }),
  line.accessor('run_s', { id: 'run', header: 'Executor time', cell: ({ getValue }) => duration(getValue()) }),
  line.accessor('control_usd', { id: 'control', header: 'Control', cell: ({ getValue }) => usd(getValue()) }),
  line.accessor('compute_usd', { id: 'compute', header: 'Compute', cell: ({ getValue }) => usd(getValue()) }),
  line.accessor('usd', { header: 'Sum', cell: ({ getValue }) => usd(getValue()) }),
])
const COST_NUMBERS = ['actions', 'attempts', 'run', 'control', 'compute', 'usd']

function CostBody({ cost }: { cost: Cost }) {
  const lines: CostLine[] = Object.entries(cost.tasks).map(([name, one]) => ({ name, ...one }))
  const would = cost.backend === 'aws' ? 'It cost' : 'On AWS it would cost'
  return (
    <section className="part">
      <h3>Cost</h3>
      {cost.actions === 0 && <Empty title="Nothing has run yet" />}
      <p>
        {would} <b>{usd(cost.usd)}</b>: control plane {usd(cost.control_usd)} ({usd(cost.control_usd_per_million_actions)} per million
        actions), compute {usd(cost.compute_usd)}.
      </p>
      <DataTable caption="Cost by task" columns={COST_COLUMNS} rows={lines} numbers={COST_NUMBERS} sort={[{ id: 'usd', desc: true }]} />
      <p className="muted">
        Prices of {cost.region}, {cost.prices_of}, without free tiers.
      </p>
    </section>
  )
}
