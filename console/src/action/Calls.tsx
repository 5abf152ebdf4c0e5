import { useCalls } from '../api/queries'
import { count, duration } from '../lib/format'
import { ErrorNote, Skeleton } from '../parts/Notes'
import { StatusMark } from '../parts/StatusMark'

/** What an action called: the first of it, failed ones before all others. */
export function Calls({ run, action, show }: { run: string; action: string; show: (action: string) => void }) {
  const calls = useCalls(run, action)
  if (calls.isError) return <ErrorNote error={calls.error} what="The calls could not be loaded." retry={() => void calls.refetch()} />
  if (!calls.data) return <Skeleton lines={3} height={24} />
  const { rows, total } = calls.data
  if (!rows.length) return <p className="muted">It called nothing.</p>
  const left = (total ?? rows.length) - rows.length
  return (
    <>
      <ul className="calls">
        {rows.map((row) => (
          <li key={row.action_id}>
            <StatusMark status={row.status} />
            <button type="button" className="link" onClick={() => show(row.action_id)}>
              {row.name}
            </button>
            <code className="id">{row.action_id}</code>
            <span className="grow" />
            {row.error_code && <span className="bad">{row.error_code}</span>}
            <span>{row.started_at && row.ended_at ? duration(row.ended_at - row.started_at) : '–'}</span>
          </li>
        ))}
      </ul>
      {left > 0 && <p className="muted">And {count(left)} more, in the tree of the run.</p>}
    </>
  )
}
