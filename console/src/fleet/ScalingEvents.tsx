import { useState } from 'react'
import type { Scaling } from '../api/types'
import { count } from '../lib/format'
import { Moment } from '../parts/Moment'

const SHOWN = 5

const WHY: Record<Scaling['why'], string> = {
  backlog: 'more to do than slots',
  slots: 'slots were not needed',
  idle: 'nothing to do',
  policy: 'least or most of the policy',
}

/** How the number of a pool's workers changed, newest first. */
export function ScalingEvents({ pool, events, now }: { pool: string; events: Scaling[]; now: number }) {
  const [all, setAll] = useState(false)
  const shown = all ? events : events.slice(0, SHOWN)
  return (
    <>
      <table className="data">
        <caption className="unseen">How {pool} was scaled</caption>
        <thead>
          <tr>
            <th scope="col">Scaled</th>
            <th scope="col">Workers</th>
            <th scope="col">Why</th>
            <th scope="col" className="number">
              Waiting
            </th>
            <th scope="col" className="number">
              Held
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((event) => (
            <tr key={event.at}>
              <td>
                <Moment at={event.at} now={now} />
              </td>
              <td>
                {count(event.before)} → {count(event.after)}
              </td>
              <td>{WHY[event.why]}</td>
              <td className="number">{count(event.waiting)}</td>
              <td className="number">{count(event.in_flight)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {events.length > SHOWN && (
        <button type="button" className="quiet" onClick={() => setAll(!all)}>
          {all ? 'Show the newest' : `Show all ${count(events.length)}`}
        </button>
      )}
    </>
  )
}
