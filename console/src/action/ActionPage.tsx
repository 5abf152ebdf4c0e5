import { Link, useLocation } from 'wouter'
import { isNotFound } from '../api/client'
import { useAction, useRun } from '../api/queries'
import { Empty, ErrorNote, Skeleton } from '../parts/Notes'
import { StatusPill } from '../parts/StatusMark'
import { ActionBody } from './ActionBody'

/** An action on a page of its own, with room for long values and logs. */
export function ActionPage({ run, action }: { run: string; action: string }) {
  const query = useAction(run, action)
  useRun(run) // Its version tells when the action is to be asked for again.
  const [, go] = useLocation()
  const base = `/runs/${encodeURIComponent(run)}`
  return (
    <section className="page sheet" aria-label={`Action ${action}`}>
      <nav className="crumbs" aria-label="Place">
        <Link href="/">Runs</Link> / <Link href={base}>{run}</Link> / <code>{action}</code>
      </nav>
      {query.isError && !isNotFound(query.error) && (
        <ErrorNote error={query.error} what="The action could not be loaded." retry={() => void query.refetch()} />
      )}
      {isNotFound(query.error) && (
        <Empty title={`Run ${run} has no action ${action}`}>
          <p>
            <Link href={base}>Show the run</Link>
          </p>
        </Empty>
      )}
      {query.isPending && <Skeleton lines={14} />}
      {query.data && (
        <>
          <div className="bar">
            <h1>{query.data.name}</h1>
            <StatusPill status={query.data.status} />
            <span className="grow" />
            <Link className="button" href={`${base}?action=${encodeURIComponent(action)}`}>
              Show in the run
            </Link>
          </div>
          <ActionBody run={run} action={query.data} show={(other) => go(`${base}/actions/${encodeURIComponent(other)}`)} />
        </>
      )}
    </section>
  )
}
