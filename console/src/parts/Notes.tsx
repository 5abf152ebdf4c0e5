import type { ReactNode } from 'react'
import { ApiError } from '../api/client'

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  )
}

export function ErrorNote({ error, what, retry }: { error: unknown; what: string; retry: () => void }) {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof ApiError && error.status ? ` (${error.code})` : ''
  return (
    <div className="note is-bad" role="alert">
      <div>
        <strong>{what}</strong>
        <div>
          {message}
          {code}
        </div>
      </div>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  )
}

/** Grey lines that take the room of what is being loaded. */
export function Skeleton({ lines, height = 32 }: { lines: number; height?: number }) {
  return (
    <div className="skeleton" aria-busy="true" aria-label="Loading">
      {Array.from({ length: lines }, (_, n) => (
        <div key={n} style={{ height }}>
          <i style={{ width: `${30 + ((n * 37) % 55)}%` }} />
        </div>
      ))}
    </div>
  )
}
