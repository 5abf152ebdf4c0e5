import { Link } from 'wouter'
import { usePools } from '../api/queries'
import type { Pool } from '../api/types'
import { count, counted } from '../lib/format'
import { useNow } from '../lib/now'
import { Moment } from '../parts/Moment'
import { Empty, ErrorNote, Skeleton } from '../parts/Notes'
import { ScalingEvents } from './ScalingEvents'

const SHOWN = 12

export function PoolsPage() {
  const pools = usePools()
  const now = useNow(1000)
  return (
    <section className="page sheet" aria-label="Pools">
      <h1>Pools</h1>
      {pools.isError && <ErrorNote error={pools.error} what="The pools could not be loaded." retry={() => void pools.refetch()} />}
      {pools.isPending && <Skeleton lines={8} />}
      {pools.data?.length === 0 && (
        <Empty title="There are no pools">
          <p>
            An environment gets a pool of warm executors with <code>reuse_policy=upwell.ReusePolicy(...)</code>.
          </p>
        </Empty>
      )}
      {pools.data?.map((pool) => <PoolPart key={pool.pool} pool={pool} now={now} />)}
    </section>
  )
}

function PoolPart({ pool, now }: { pool: Pool; now: number }) {
  const places = pool.slots === null ? null : pool.slots * pool.replicas
  return (
    <section className="part">
      <div className="bar">
        <h3>{pool.pool}</h3>
        {pool.kind && <span className="tag">{pool.kind}</span>}
      </div>
      <div className="figures">
        <Fact name="Executors at work" value={pool.replicas} />
        <div className="figure">
          <span>Slots held</span>
          <b>
            {count(pool.busy)}
            {Boolean(places) && <small> of {count(places!)}</small>}
          </b>
          {Boolean(places) && (
            <svg className="counts-bar" width="100%" height="6" aria-hidden="true">
              <rect className="fill is-running" width={`${Math.min(1, pool.busy / places!) * 100}%`} height="6" />
            </svg>
          )}
        </div>
        <Fact name="Waiting" value={pool.backlog} />
      </div>
      {pool.held.length > 0 && (
        <table className="data">
          <caption className="unseen">Who holds slots of {pool.pool}</caption>
          <thead>
            <tr>
              <th scope="col">Action</th>
              <th scope="col">Run</th>
              <th scope="col">Executor</th>
              <th scope="col" className="number">
                Lease ends
              </th>
            </tr>
          </thead>
          <tbody>
            {pool.held.slice(0, SHOWN).map((hold) => (
              <tr key={`${hold.run_id}/${hold.action_id}`}>
                <td>
                  <Link href={`/runs/${encodeURIComponent(hold.run_id)}?action=${encodeURIComponent(hold.action_id)}`}>{hold.action_id}</Link>
                </td>
                <td>
                  <Link href={`/runs/${encodeURIComponent(hold.run_id)}`}>{hold.run_id}</Link>
                </td>
                <td>
                  <code>{hold.executor}</code>
                </td>
                <td className="number">
                  <Moment at={hold.until} now={now} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {pool.busy > SHOWN && <p className="muted">And {counted(pool.busy - SHOWN, 'slot')} more.</p>}
      {pool.scaling.length > 0 && <ScalingEvents pool={pool.pool} events={pool.scaling} now={now} />}
    </section>
  )
}

function Fact({ name, value }: { name: string; value: number | null }) {
  return (
    <div className="figure">
      <span>{name}</span>
      <b>{value === null ? '–' : count(value)}</b>
    </div>
  )
}
