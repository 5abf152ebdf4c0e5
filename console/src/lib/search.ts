/** Filters live in the URL, so that a link shows what its sender saw. */

import { useCallback } from 'react'
import { useSearchParams } from 'wouter'

type Change = Record<string, string | string[] | null>

export function useFilters(): [URLSearchParams, (change: Change) => void] {
  const [params, setParams] = useSearchParams()
  const change = useCallback(
    (wanted: Change) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before)
          for (const [name, value] of Object.entries(wanted)) {
            after.delete(name)
            for (const one of Array.isArray(value) ? value : [value]) if (one) after.append(name, one)
          }
          return after
        },
        { replace: true },
      ),
    [setParams],
  )
  return [params, change]
}
