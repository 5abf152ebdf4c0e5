import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef } from 'react'
import { get, runPath } from '../api/client'
import type { LogPage } from '../api/types'
import { linesOf } from '../lib/lines'

const POLL_MS = 1500
const PAGE_LINES = 1000
/** So often is looked for last lines once the action has ended: CloudWatch takes some seconds to show them. */
const LAST_LOOKS = 4

export interface LogFilter {
  attempt: number | null
  text: string
}

function logPage(run: string, action: string, filter: LogFilter, cursor: string | null, signal?: AbortSignal) {
  const { attempt, text } = filter
  return get<LogPage>(
    runPath(run, 'actions', action, 'logs'),
    { attempt, text: text || null, cursor, limit: PAGE_LINES },
    signal,
  )
}

/** The lines of an action, to their end and, while it is live, on from there: what was read is not read again. */
export function useLogs(run: string, action: string, filter: LogFilter, live: boolean) {
  const query = useInfiniteQuery({
    queryKey: ['run', run, 'logs', action, filter.attempt, filter.text],
    queryFn: ({ pageParam, signal }) => logPage(run, action, filter, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.resume,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  })
  const { data, isFetching, isError, fetchNextPage } = query
  const hasMore = data?.pages.at(-1)?.next != null
  const looksLeft = useRef(live ? LAST_LOOKS : 0)
  useEffect(() => {
    if (live) looksLeft.current = LAST_LOOKS
    if (!data || isFetching || isError || (hasMore && !live)) return
    if (!live && looksLeft.current-- <= 0) return
    const timer = setTimeout(() => void fetchNextPage(), hasMore ? 0 : POLL_MS)
    return () => clearTimeout(timer)
  }, [data, isFetching, isError, hasMore, live, fetchNextPage])
  const lines = useMemo(() => linesOf(data?.pages ?? []), [data])
  return { ...query, lines, hasMore }
}

/** All lines of an action, for a file. */
export async function allLines(run: string, action: string, filter: LogFilter) {
  const pages: LogPage[] = []
  let cursor: string | null = null
  do {
    const page: LogPage = await logPage(run, action, filter, cursor)
    pages.push(page)
    cursor = page.next
  } while (cursor !== null)
  return linesOf(pages)
}
