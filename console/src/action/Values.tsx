import type { Value } from '../api/types'
import { bytes } from '../lib/format'
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
              <span className="type">{value.type}</span>
              <span className="grow" />
              <span className="muted">{bytes(value.size_bytes)}</span>
              <CopyButton text={text} />
            </dt>
            <dd>
              {text && <pre>{text}</pre>}
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
