import { useState } from 'react'
import { address, runPath } from '../api/client'

interface Props {
  run: string
  action: string
  /** Those that made a report, in order. */
  attempts: number[]
}

/**
 * What an attempt reports of itself. It is the author's page, not ours: the frame gives it an origin of its own, and the
 * server's headers do the same where it is opened by itself.
 */
export function Reports({ run, action, attempts }: Props) {
  const [chosen, setChosen] = useState<number | null>(null)
  const [looks, setLooks] = useState(0)
  const attempt = chosen ?? attempts.at(-1)
  const source = address(runPath(run, 'actions', action, 'reports', String(attempt)))
  return (
    <div className="report">
      <div className="bar">
        {attempts.length > 1 && (
          <select aria-label="Attempt" value={attempt} onChange={(event) => setChosen(Number(event.target.value))}>
            {attempts.map((number) => (
              <option key={number} value={number}>
                Attempt {number}
              </option>
            ))}
          </select>
        )}
        <span className="grow" />
        <button type="button" className="quiet" onClick={() => setLooks(looks + 1)}>
          Reload
        </button>
        <a className="button quiet" href={source} target="_blank" rel="noopener noreferrer">
          Open alone
        </a>
        <a className="button quiet" href={source} download={`${run}-${action}-${attempt}.html`}>
          Download
        </a>
      </div>
      <iframe key={`${attempt} ${looks}`} title={`Report of attempt ${attempt}`} src={source} sandbox="allow-scripts allow-downloads" referrerPolicy="no-referrer" />
      <p className="muted">It is shown without access to the console or the network: what it loads from elsewhere is missing here.</p>
    </div>
  )
}
