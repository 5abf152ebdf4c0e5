import type { FrameShape, Value } from '../api/types'
import { bytes, count } from '../lib/format'
import { CopyButton } from '../parts/Commands'

/** Inputs or outputs: name, type, size, and as much of each as the server sends. Nothing is unpickled for it. */
export function Values({ values, none }: { values: Value[]; none: string }) {
  if (!values.length) return <p className="muted">{none}</p>
  return (
    <dl className="values">
      {values.map((value) => {
        const text = value.preview
        return (
          <div key={value.name}>
            <dt>
              <b>{value.name}</b>
              <span className="type">
                {value.type}
                {value.length !== null && ` of ${count(value.length)}`}
                {value.frame && `, ${value.frame.num_rows === null ? '?' : count(value.frame.num_rows)} × ${count(value.frame.num_columns)}`}
              </span>
              <span className="grow" />
              <span className="muted">{bytes(value.size_bytes)}</span>
              <CopyButton text={text} />
            </dt>
            <dd>
              {value.frame ? <Columns frame={value.frame} /> : text && <pre>{text}</pre>}
              {value.truncated && <p className="muted">Only the beginning is shown. The command below prints all of it.</p>}
              {value.reference && (
                <p>
                  Stored at <code className="wrap">{value.reference}</code>
                </p>
              )}
            </dd>
          </div>
        )
      })}
    </dl>
  )
}

/** The columns of a data frame and their types; its rows are where it is stored. */
function Columns({ frame }: { frame: FrameShape }) {
  const left = frame.num_columns - frame.columns.length
  return (
    <div className="columns">
      <table className="data">
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Type</th>
          </tr>
        </thead>
        <tbody>
          {frame.columns.map(([name, type]) => (
            <tr key={name}>
              <td>{name}</td>
              <td>
                <code>{type}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && <p className="muted">And {count(left)} more columns.</p>}
    </div>
  )
}
