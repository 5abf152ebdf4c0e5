import { useEffect, useState } from 'react'
import type { Commands } from '../api/types'

export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [done, setDone] = useState(false)
  useEffect(() => {
    if (!done) return
    const timer = setTimeout(() => setDone(false), 1500)
    return () => clearTimeout(timer)
  }, [done])
  return (
    <button
      type="button"
      className="quiet copy"
      aria-label={`${label}: ${text.slice(0, 80)}`}
      onClick={() => void navigator.clipboard.writeText(text).then(() => setDone(true))}
    >
      {done ? 'Copied' : label}
    </button>
  )
}

/** The same on the command line. */
export function CommandList({ commands }: { commands: Commands }) {
  const entries = Object.entries(commands)
  if (!entries.length) return null
  return (
    <dl className="commands">
      {entries.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <code>{text}</code>
            <CopyButton text={text} />
          </dd>
        </div>
      ))}
    </dl>
  )
}
