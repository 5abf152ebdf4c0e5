import { useEffect, useRef, useState } from 'react'

/** A value that follows another at most once every `every_ms`, and ends up equal to it. */
export function useThrottled<T>(value: T, every_ms: number): T {
  const [slow, setSlow] = useState(value)
  const last = useRef(0)
  useEffect(() => {
    const wait = Math.max(0, last.current + every_ms - Date.now())
    const timer = setTimeout(() => {
      last.current = Date.now()
      setSlow(value)
    }, wait)
    return () => clearTimeout(timer)
  }, [value, every_ms])
  return slow
}
