import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useLocation } from 'wouter'
import { post, runPath } from '../api/client'
import { useAction, useInfo } from '../api/queries'
import type { RunDetail } from '../api/types'
import { isTerminal } from '../lib/status'
import { CommandList } from '../parts/Commands'
import { Dialog } from '../parts/Dialog'
import { Skeleton } from '../parts/Notes'

type Deed = 'abort' | 'recover' | 'rerun' | 'commands'

/** Buttons that change a run; each asks before it does. */
export function Steering({ run }: { run: RunDetail }) {
  const [deed, setDeed] = useState<Deed | null>(null)
  const { data: info } = useInfo()
  const close = () => setDeed(null)
  const over = isTerminal(run.status)
  const canRecover = over ? run.status !== 'succeeded' : !run.alive
  return (
    <>
      <button type="button" onClick={() => setDeed('commands')}>
        CLI
      </button>
      {info?.features.steer && (
        <>
          <button type="button" onClick={() => setDeed('rerun')}>
            Run again…
          </button>
          {canRecover && (
            <button type="button" onClick={() => setDeed('recover')}>
              Recover…
            </button>
          )}
          {!over && (
            <button type="button" className="danger" onClick={() => setDeed('abort')}>
              Abort…
            </button>
          )}
        </>
      )}
      {deed === 'abort' && <AbortDialog run={run.run_id} action={null} close={close} />}
      {deed === 'recover' && <RecoverDialog run={run} close={close} />}
      {deed === 'rerun' && <RerunDialog run={run} close={close} />}
      {deed === 'commands' && (
        <Dialog title="On the command line" close={close}>
          <CommandList commands={run.commands} />
        </Dialog>
      )}
    </>
  )
}

interface DeedProps<T> {
  title: string
  verb: string
  isDanger?: boolean
  close: () => void
  /** The run that changes, if there is one. */
  run?: string
  send: () => Promise<T>
  done?: (answer: T) => void
  children: ReactNode
}

/** Asks before something is changed, and says why it was not. */
export function DeedDialog<T>({ title, verb, isDanger, close, run, send, done, children }: DeedProps<T>) {
  const client = useQueryClient()
  const deed = useMutation({
    mutationFn: send,
    onSuccess: (answer) => {
      if (run !== undefined) void client.invalidateQueries({ queryKey: ['run', run] })
      void client.invalidateQueries({ queryKey: ['runs'] })
      close()
      done?.(answer)
    },
  })
  return (
    <Dialog
      title={title}
      close={close}
      onSubmit={() => deed.mutate()}
      footer={
        <>
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className={isDanger ? 'danger is-filled' : 'primary'} disabled={deed.isPending}>
            {deed.isPending ? 'Sending…' : verb}
          </button>
        </>
      }
    >
      {children}
      {deed.isError && (
        <div className="note is-bad" role="alert">
          <div>{deed.error.message}</div>
        </div>
      )}
    </Dialog>
  )
}

export function AbortDialog({ run, action, close }: { run: string; action: string | null; close: () => void }) {
  const [reason, setReason] = useState('')
  const path = action === null ? runPath(run, 'abort') : runPath(run, 'actions', action, 'abort')
  return (
    <DeedDialog
      title={action === null ? `Abort ${run}?` : `Abort ${action}?`}
      verb="Abort"
      isDanger
      close={close}
      run={run}
      send={() => post<unknown>(path, { reason: reason || 'aborted in the console' })}
    >
      <p>
        {action === null ? 'The run and everything in it ends' : 'The action and everything below it ends'} as soon as its
        executors hear of it. What has succeeded is kept, and a recovered run does not do it again.
      </p>
      <label className="field">
        Reason (recorded with it)
        <input value={reason} onChange={(event) => setReason(event.target.value)} autoFocus />
      </label>
    </DeedDialog>
  )
}

function RecoverDialog({ run, close }: { run: RunDetail; close: () => void }) {
  const [newCode, setNewCode] = useState(false)
  return (
    <DeedDialog
      title={`Recover ${run.run_id}?`}
      verb="Recover"
      close={close}
      run={run.run_id}
      send={() => post<{ run_id: string }>(runPath(run.run_id, 'recover'), { new_code: newCode })}
    >
      <p>The run goes on from its journal: what succeeded is not done again, what failed is.</p>
      <NewCode chosen={newCode} choose={setNewCode} />
    </DeedDialog>
  )
}

function NewCode({ chosen, choose }: { chosen: boolean; choose: (chosen: boolean) => void }) {
  return (
    <label className="choice">
      <input type="checkbox" checked={chosen} onChange={(event) => choose(event.target.checked)} />
      <span>
        With the code as it is now
        <small>Else with the code that the run was started with</small>
      </span>
    </label>
  )
}

function RerunDialog({ run, close }: { run: RunDetail; close: () => void }) {
  const [, go] = useLocation()
  const root = useAction(run.run_id, run.root)
  const [texts, setTexts] = useState<Record<string, string>>({})
  const [newCode, setNewCode] = useState(false)
  const parse = () => {
    const changed = Object.entries(texts).filter(([, text]) => text.trim())
    return Object.fromEntries(
      changed.map(([name, text]) => {
        try {
          return [name, JSON.parse(text) as unknown]
        } catch {
          throw new Error(`${name} is not JSON: ${text.slice(0, 60)}. Put a text in double quotes.`)
        }
      }),
    )
  }
  return (
    <DeedDialog
      title={`Run ${run.task} again?`}
      verb="Run again"
      close={close}
      run={run.run_id}
      send={async () => post<{ run_id: string }>(runPath(run.run_id, 'rerun'), { inputs: parse(), new_code: newCode })}
      done={({ run_id }) => go(`/runs/${encodeURIComponent(run_id)}`)}
    >
      <p>A new run of the same task. Inputs left empty stay as they were.</p>
      {root.isPending && <Skeleton lines={2} />}
      {root.data?.inputs.map((input) => (
        <label key={input.name} className="field">
          <span>
            {input.name} <span className="muted">{input.type}</span>
          </span>
          <input
            placeholder={input.preview}
            value={texts[input.name] ?? ''}
            onChange={(event) => setTexts({ ...texts, [input.name]: event.target.value })}
            spellCheck={false}
          />
        </label>
      ))}
      <NewCode chosen={newCode} choose={setNewCode} />
    </DeedDialog>
  )
}
