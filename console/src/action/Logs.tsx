import { useDeferredValue, useEffect, useRef, useState } from 'react'
import { clock, instant } from '../lib/format'
import { kindOf, textOf } from '../lib/lines'
import { ErrorNote, Skeleton } from '../parts/Notes'
import { allLines, useLogs, type LogFilter } from './useLogs'

interface Props {
  run: string
  action: string
  attempts: number[]
  live: boolean
}

/** So close to the end of the lines, one is taken to follow them. */
const AT_END_PX = 30

/** What the task printed and logged, by attempt; it goes on while the action does. */
export function Logs({ run, action, attempts, live }: Props) {
  const [attempt, setAttempt] = useState<number | null>(null)
  const [text, setText] = useState('')
  const filter: LogFilter = { attempt, text: useDeferredValue(text.trim()) }
  const logs = useLogs(run, action, filter, live)
  const box = useRef<HTMLDivElement>(null)
  const follows = useRef(live)
  useEffect(() => {
    if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [logs.lines])
  return (
    <div className="logs">
      <div className="bar">
        <input className="search" type="search" placeholder="Search the logs" aria-label="Search the logs" value={text} onChange={(event) => setText(event.target.value)} />
        {attempts.length > 1 && (
          <select aria-label="Attempt" value={attempt ?? ''} onChange={(event) => setAttempt(event.target.value ? Number(event.target.value) : null)}>
            <option value="">All attempts</option>
            {attempts.map((number) => (
              <option key={number} value={number}>
                Attempt {number}
              </option>
            ))}
          </select>
        )}
        <button type="button" disabled={!logs.lines.length} onClick={() => void download(run, action, filter)}>
          Download
        </button>
      </div>
      {logs.isError && <ErrorNote error={logs.error} what="The logs could not be loaded." retry={() => void logs.refetch()} />}
      {logs.isPending && <Skeleton lines={4} height={20} />}
      {logs.data && !logs.lines.length && (
        <p className="muted">{text ? 'No line has this text.' : live ? 'Nothing printed so far.' : 'It printed nothing.'}</p>
      )}
      {logs.lines.length > 0 && (
        <div
          ref={box}
          className="log-lines"
          role="log"
          tabIndex={0}
          aria-label="Log lines"
          onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
            follows.current = live && scrollHeight - scrollTop - clientHeight < AT_END_PX
          }}
        >
          {logs.lines.map((line) => (
            <div key={line.id} className={`log-line is-${kindOf(line)}`}>
              <time title={instant(line.at)}>{clock(line.at)}</time>
              <span title={line.item ? `item ${line.item}` : line.logger ?? undefined}>{kindOf(line)}</span>
              <code>{line.text}</code>
            </div>
          ))}
        </div>
      )}
      {logs.hasMore && !live && (
        <button type="button" disabled={logs.isFetchingNextPage} onClick={() => void logs.fetchNextPage()}>
          Show more lines
        </button>
      )}
    </div>
  )
}

async function download(run: string, action: string, filter: LogFilter): Promise<void> {
  const text = textOf(await allLines(run, action, filter))
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  link.download = `${run}-${action}.log`
  link.click()
  URL.revokeObjectURL(link.href)
}
