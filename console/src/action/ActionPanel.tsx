import { useState } from 'react'
import { Link } from 'wouter'
import { useAction, useInfo } from '../api/queries'
import type { RunDetail } from '../api/types'
import { isTerminal } from '../lib/status'
import { ErrorNote, Skeleton } from '../parts/Notes'
import { StatusPill } from '../parts/StatusMark'
import { AbortDialog } from '../run/Steering'
import { ActionBody } from './ActionBody'

interface Props {
  run: RunDetail
  action: string
  close: () => void
  show: (action: string) => void
}

/** An action beside the tree. */
export function ActionPanel({ run, action, close, show }: Props) {
  const query = useAction(run.run_id, action)
  const { data: info } = useInfo()
  const [isAborting, setAborting] = useState(false)
  const canAbort = info?.features.steer && query.data && !isTerminal(query.data.status)
  return (
    <aside className="panel" aria-label={`Action ${action}`}>
      <header>
        <div className="bar">
          <h2>{query.data?.name ?? action}</h2>
          <span className="grow" />
          {canAbort && (
            <button type="button" className="danger" onClick={() => setAborting(true)}>
              Abort…
            </button>
          )}
          <Link className="button quiet" href={`/runs/${encodeURIComponent(run.run_id)}/actions/${encodeURIComponent(action)}`}>
            Own page
          </Link>
          <button type="button" className="quiet" aria-label="Close" aria-keyshortcuts="Escape" onClick={close}>
            ✕
          </button>
        </div>
        <div className="facts">
          {query.data && <StatusPill status={query.data.status} />}
          <code className="id">{action}</code>
          {query.data?.cached && <span className="tag">cached</span>}
        </div>
      </header>
      <div className="panel-body">
        {query.isError && <ErrorNote error={query.error} what="The action could not be loaded." retry={() => void query.refetch()} />}
        {query.isPending && <Skeleton lines={12} />}
        {query.data && <ActionBody run={run.run_id} action={query.data} show={show} />}
      </div>
      {isAborting && <AbortDialog run={run.run_id} action={action} close={() => setAborting(false)} />}
    </aside>
  )
}
