import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { useInfo } from '../api/queries'
import type { ActionDetail } from '../api/types'
import { duration } from '../lib/format'
import { useNow } from '../lib/now'
import { isTerminal } from '../lib/status'
import { CommandList, CopyButton } from '../parts/Commands'
import { Moment } from '../parts/Moment'
import { Attempts } from './Attempts'
import { Calls } from './Calls'
import { Logs } from './Logs'
import { Reports } from './Reports'
import { Values } from './Values'

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="part">
      <h3>{title}</h3>
      {children}
    </section>
  )
}

interface Props {
  run: string
  action: ActionDetail
  show: (action: string) => void
}

/** All that is known of an action; what went wrong comes first. */
export function ActionBody({ run, action, show }: Props) {
  const over = isTerminal(action.status)
  const now = useNow(over ? null : 1000)
  const { data: info } = useInfo()
  return (
    <>
      {action.error && (
        <Part title="Error">
          <p className="bad">
            <b>{action.error.code}</b> {action.error.message}
          </p>
          {action.error.traceback && (
            <div className="trace">
              <CopyButton text={action.error.traceback} />
              <pre tabIndex={0}>{action.error.traceback}</pre>
            </div>
          )}
        </Part>
      )}
      {action.warnings.length > 0 && (
        <Part title="Warnings">
          <ul className="warnings">
            {action.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Part>
      )}
      {action.reports.length > 0 && (
        <Part title="Report">
          <Reports run={run} action={action.action_id} attempts={action.reports} />
        </Part>
      )}
      <Part title="Inputs">
        <Values values={action.inputs} none="It has no inputs." />
      </Part>
      <Part title="Outputs">
        <Values values={action.outputs ?? []} none={over ? 'It has none.' : 'They are here when it has succeeded.'} />
      </Part>
      <Part title="Attempts">
        <Attempts attempts={action.attempts} now={now} />
      </Part>
      {info?.features.logs && (
        <Part title="Logs">
          <Logs run={run} action={action.action_id} attempts={[...new Set(action.attempts.map((one) => one.number))]} live={!over} />
        </Part>
      )}
      {action.children !== 0 && (
        <Part title="Calls">
          <Calls run={run} action={action.action_id} show={show} />
        </Part>
      )}
      <Part title="Details">
        <dl className="details">
          <Detail name="Called">
            <Moment at={action.queued_at} now={now} />
          </Detail>
          <Detail name="Took">{action.started_at ? duration((action.ended_at ?? now) - action.started_at) : '–'}</Detail>
          {action.parent_id && (
            <Detail name="Called by">
              <button type="button" className="link" onClick={() => show(action.parent_id!)}>
                {action.parent_id}
              </button>
            </Detail>
          )}
          {action.group && <Detail name="Group">{action.group}</Detail>}
          {action.links.length > 0 && (
            <Detail name="Links">
              <ul className="links">
                {action.links.map(({ name, url }) => (
                  <li key={name + url}>
                    <a href={url} title={url} target="_blank" rel="noopener noreferrer">
                      {name}
                    </a>
                  </li>
                ))}
              </ul>
            </Detail>
          )}
          {action.pool && <Detail name="Pool">{action.pool}</Detail>}
          {action.bundle && (
            <Detail name="Code">
              <code className="wrap">{action.bundle}</code>
            </Detail>
          )}
          {action.lease_expires_at && (
            <Detail name="Lease until">
              <Moment at={action.lease_expires_at} now={now} />
            </Detail>
          )}
          {action.cached_from && (
            <Detail name="Result from">
              <Link href={`/runs/${encodeURIComponent(action.cached_from.run_id)}?action=${encodeURIComponent(action.cached_from.action_id)}`}>
                {action.cached_from.run_id} / {action.cached_from.action_id}
              </Link>
              {action.cached_from.created_at && (
                <>
                  , <Moment at={action.cached_from.created_at} now={now} />
                </>
              )}
            </Detail>
          )}
          {action.cache_key && (
            <Detail name="Cache key">
              <code className="wrap">{action.cache_key}</code>
            </Detail>
          )}
        </dl>
      </Part>
      <Part title="On the command line">
        <CommandList commands={action.commands} />
      </Part>
    </>
  )
}

function Detail({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
