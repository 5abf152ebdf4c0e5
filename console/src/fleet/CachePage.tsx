import { Link } from 'wouter'
import { useCache } from '../api/queries'
import type { CacheEntry } from '../api/types'
import { bytes, duration } from '../lib/format'
import { useNow } from '../lib/now'
import { useFilters } from '../lib/search'
import { columnsOf, DataTable } from '../parts/DataTable'
import { Moment } from '../parts/Moment'
import { Empty, ErrorNote, Skeleton } from '../parts/Notes'

const entry = columnsOf<CacheEntry>()
const NUMBERS = ['size_bytes', 'created_at', 'max_age_s']

function Made({ at }: { at: number }) {
  return <Moment at={at} now={useNow(10_000)} />
}

const COLUMNS = entry.columns([
  entry.accessor('task', { header: 'Task', cell: ({ getValue }) => <b>{getValue() ?? '?'}</b> }),
  entry.accessor('key', {
    header: 'Key',
    cell: ({ getValue }) => <code title={getValue()}>{getValue().slice(0, 16)}</code>,
  }),
  entry.accessor('version', {
    header: 'Version',
    cell: ({ row }) => (
      <span title={row.original.version_from ?? undefined}>
        <code>{(row.original.version ?? '?').slice(0, 12)}</code>
      </span>
    ),
  }),
  entry.accessor('run_id', {
    header: 'Made by',
    cell: ({ row: { original } }) => (
      <Link href={`/runs/${encodeURIComponent(original.run_id)}?action=${encodeURIComponent(original.action_id)}`}>
        {original.run_id} / {original.action_id}
      </Link>
    ),
  }),
  entry.accessor('size_bytes', { header: 'Size', cell: ({ getValue }) => bytes(getValue()) }),
  entry.accessor('created_at', { header: 'Made', cell: ({ getValue }) => <Made at={getValue()} /> }),
  entry.accessor((row) => row.max_age_s ?? Infinity, {
    id: 'max_age_s',
    header: 'Used for',
    cell: ({ row: { original } }) =>
      original.expired ? <span className="warn">expired</span> : original.max_age_s === null ? 'no limit' : duration(original.max_age_s),
  }),
])

export function CachePage() {
  const [params, change] = useFilters()
  const task = params.get('task') ?? ''
  const cache = useCache(task)
  const entries = cache.data?.pages.flatMap((page) => page.entries) ?? []
  return (
    <section className="page sheet" aria-label="Cache">
      <div className="bar">
        <h1>Cache</h1>
        <input
          className="search"
          type="search"
          placeholder="Task"
          aria-label="Task"
          defaultValue={task}
          onChange={(event) => change({ task: event.target.value.trim() })}
        />
        <span className="muted">
          Why was something not found? <code>upwell why RUN ACTION</code>
        </span>
      </div>
      {cache.isError && <ErrorNote error={cache.error} what="The cache could not be loaded." retry={() => void cache.refetch()} />}
      {cache.isPending && <Skeleton lines={10} />}
      {cache.data && !entries.length && (
        <Empty title={task ? `Nothing is kept of ${task}` : 'Nothing is kept yet'}>
          <p>
            Results are kept of tasks with <code>cache="auto"</code>.
          </p>
        </Empty>
      )}
      {entries.length > 0 && <DataTable caption="Kept results" columns={COLUMNS} rows={entries} numbers={NUMBERS} />}
      {cache.hasNextPage && (
        <p className="more">
          <button type="button" disabled={cache.isFetchingNextPage} onClick={() => void cache.fetchNextPage()}>
            Show more
          </button>
        </p>
      )}
    </section>
  )
}
