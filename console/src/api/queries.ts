/** What the pages ask for. Keys that begin with ['run', run, 'live'] are asked again when the run's version changes. */

import { keepPreviousData, QueryClient, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { isTerminal } from '../lib/status'
import { ApiError, get, getIfChanged, runPath } from './client'
import type { Cost, Profile } from './documents'
import type { ActionDetail, CachePage, DeployedTask, Info, Pool, RunDetail, RunList, Timeline, TreePage } from './types'

const POLL_MS = 1000
const RUNS_POLL_MS = 2000
export const TIMELINE_BUCKETS = 120

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
})

export function useInfo() {
  return useQuery({ queryKey: ['info'], queryFn: ({ signal }) => get<Info>('/info', {}, signal), staleTime: Infinity })
}

export function useTasks() {
  return useQuery({ queryKey: ['tasks'], queryFn: ({ signal }) => get<DeployedTask[]>('/tasks', {}, signal) })
}

export interface RunFilters {
  status: string[]
  task: string
  labels: string[]
  after: number | null
}

export function useRuns(filters: RunFilters) {
  return useInfiniteQuery({
    queryKey: ['runs', filters],
    queryFn: ({ pageParam, signal }) =>
      get<RunList>(
        '/runs',
        {
          status: filters.status,
          task: filters.task || null,
          label: filters.labels,
          after: filters.after,
          cursor: pageParam,
          limit: 50,
        },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 1) > 4 ? false : RUNS_POLL_MS),
    placeholderData: keepPreviousData,
  })
}

/** Ask again for what has changed. What was under way already may be older than the change: it is asked for once more. */
export async function askAgain(client: QueryClient, queryKey: string[]): Promise<void> {
  const underWay = new Set(client.getQueryCache().findAll({ queryKey, fetchStatus: 'fetching' }))
  await client.invalidateQueries({ queryKey }, { cancelRefetch: false })
  if (underWay.size)
    await client.invalidateQueries({ predicate: (query) => underWay.has(query) }, { cancelRefetch: false })
}

/** A run, asked for every second until all that is shown of it has ended; what has not changed is not sent again. */
export function useRun(run: string) {
  const client = useQueryClient()
  const etag = useRef<string | undefined>(undefined)
  const key = ['run', run, 'head']
  const query = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => {
      const known = client.getQueryData<RunDetail>(key)
      const fresh = await getIfChanged<RunDetail>(runPath(run), known ? etag.current : undefined, signal)
      if (fresh === null && known) return known
      if (fresh === null) throw new ApiError(304, 'empty', 'The server answered that nothing changed, but nothing is known.')
      etag.current = fresh.etag
      return fresh.body
    },
    refetchInterval: ({ state }) => (state.data && isTerminal(state.data.status) && state.data.settled ? false : POLL_MS),
  })
  const version = query.data?.version
  const seen = useRef(version)
  useEffect(() => {
    if (seen.current !== undefined && version !== seen.current)
      void askAgain(client, ['run', run, 'live'])
    seen.current = version
  }, [client, run, version])
  return query
}

export function useTimeline(run: string) {
  return useQuery({
    queryKey: ['run', run, 'live', 'timeline'],
    queryFn: ({ signal }) => get<Timeline>(runPath(run, 'timeline'), { buckets: TIMELINE_BUCKETS }, signal),
    placeholderData: keepPreviousData,
  })
}

const CALLS_SHOWN = 10

export function useCalls(run: string, action: string) {
  return useQuery({
    queryKey: ['run', run, 'live', 'calls', action],
    queryFn: ({ signal }) =>
      get<TreePage>(runPath(run, 'tree'), { parent: action, order: 'failed', limit: CALLS_SHOWN }, signal),
  })
}

/** What the run did by task, over all levels. */
export function useTaskSummaries(run: string) {
  return useQuery({
    queryKey: ['run', run, 'live', 'tasks'],
    queryFn: async ({ signal }) => (await get<TreePage>(runPath(run, 'tree'), { parent: '*', limit: 1 }, signal)).summaries,
  })
}

export function useAction(run: string, action: string) {
  return useQuery({
    queryKey: ['run', run, 'live', 'action', action],
    queryFn: ({ signal }) => get<ActionDetail>(runPath(run, 'actions', action), {}, signal),
  })
}

export function useProfile(run: string) {
  return useQuery({
    queryKey: ['run', run, 'live', 'profile'],
    queryFn: ({ signal }) => get<Profile>(runPath(run, 'profile'), {}, signal),
    enabled: run !== '',
  })
}

export function useCost(run: string) {
  return useQuery({
    queryKey: ['run', run, 'live', 'cost'],
    queryFn: ({ signal }) => get<Cost>(runPath(run, 'cost'), {}, signal),
  })
}

export function usePools() {
  return useQuery({
    queryKey: ['pools'],
    queryFn: ({ signal }) => get<Pool[]>('/pools', {}, signal),
    refetchInterval: RUNS_POLL_MS,
  })
}

export function useCache(task: string) {
  return useInfiniteQuery({
    queryKey: ['cache', task],
    queryFn: ({ pageParam, signal }) => get<CachePage>('/cache', { task: task || null, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  })
}
