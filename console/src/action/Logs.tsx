import { useDeferredValue, useState } from 'react'
import { useLogs } from '../api/queries'
import type { LogLine } from '../api/types'
import { clock, instant } from '../lib/format'
import { ErrorNote, Skeleton } from '../parts/Notes'

interface Props {
  run: string
  action: string
  attempts: number
  live: boolean
}

/** What the task printed and logged, by attempt; it goes on while the action does. */
export function Logs({ run, action, attempts, live }: Props) {
  const [attempt, setAttempt] = useState<number | null>(null)
  const [text, setText] = useState('')
  const logs = useLogs(run, action, attempt, useDeferredValue(text.trim()), live)
  const lines = logs.data?.pages.flatMap((page) => page.lines) ?? []
  return (
    <div className="logs">
      <div className="bar">
        <input className="search" type="search" placeholder="Search the logs" aria-label="Search the logs" value={text} onChange={(event) => setText(event.target.value)} />
        {attempts > 1 && (
          <select aria-label="Attempt" value={attempt ?? ''} onChange={(event) => setAttempt(event.target.value ? Number(event.target.value) : null)}>
            <option value="">All attempts</option>
            {Array.from({ length: attempts }, (_, n) => (
              <option key={n} value={n + 1}>
                Attempt {n + 1}
              </option>
            ))}
          </select>
        )}
        <button type="button" disabled={!lines.length} onClick={() => download(`${run}-${action}.log`, lines)}>
          Download
        </button>
      </div>
      {logs.isError && <ErrorNote error={logs.error} what="The logs could not be loaded." retry={() => void logs.refetch()} />}
      {logs.isPending && <Skeleton lines={4} height={20} />}
      {logs.data && !lines.length && (
        <p className="muted">{text ? 'No line has this text.' : live ? 'Nothing printed so far.' : 'It printed nothing.'}</p>
      )}
      {lines.length > 0 && (
        <div className="log-lines" role="log" tabIndex={0} aria-label="Log lines">
          {lines.map((line, n) => (
            <div key={n} className={`log-line is-${line.level.toLowerCase()}`}>
              <time title={instant(line.at)}>{clock(line.at)}</time>
              <span>{line.level}</span>
              <code>{line.text}</code>
            </div>
          ))}
        </div>
      )}
      {logs.hasNextPage && !live && (
        <button type="button" disabled={logs.isFetchingNextPage} onClick={() => void logs.fetchNextPage()}>
          Show more lines
        </button>
      )}
    </div>
  )
}

function download(name: string, lines: LogLine[]): void {
  const text = lines.map((line) => `${instant(line.at)} ${line.level} [${line.attempt}] ${line.text}\n`).join('')
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
