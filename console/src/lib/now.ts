import { useEffect, useState } from 'react'

/** Epoch seconds, renewed every `every_ms`; still while `every_ms` is null. */
export function useNow(every_ms: number | null): number {
  const [now, setNow] = useState(() => Date.now() / 1000)
  useEffect(() => {
    if (every_ms === null) return
    const timer = setInterval(() => setNow(Date.now() / 1000), every_ms)
    return () => clearInterval(timer)
  }, [every_ms])
  return now
}
