/** The tree of a run over the cache of queries: which lines there are, and which pages the visible ones need. */

import { type QueryClient, useQueries, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { get, type Params, runPath } from '../api/client'
import type { Order, Row, TreePage } from '../api/types'
import {
  type Children,
  EVERYWHERE,
  FIRST_ROWS,
  isPaged,
  type Known,
  layOut,
  type Level,
  pagesIn,
  parentLevel,
  parentsIn,
  type Segment,
} from '../lib/segments'

const PAGE = 100
/** Lines beyond the visible ones whose pages are loaded too. */
const AHEAD = 60

/** The root's action has the same id in every run, so that its children need not wait for what is known of the run. */
const ROOT = 'a0'

export interface TreeQuestion {
  run: string
  order: Order
  status: string[]
  task: string
}

/** Ask for the first lines at once, beside what else the page asks for. */
export function prefetchTree(client: QueryClient, question: TreeQuestion): void {
  const reader = new TreeReader(client, question)
  for (const parent of isFlat(question) ? [] : ['', ROOT])
    void client.prefetchQuery({
      queryKey: reader.childrenKey(parent),
      queryFn: ({ signal }) => reader.fetchChildren(parent, signal),
    })
}

export function isFlat({ status, task }: TreeQuestion): boolean {
  return status.length > 0 || task !== ''
}

export class TreeReader {
  /** Rows of a paged level, by its key, as the latest answer says; of a list that is read on from its begin, those so far. */
  readonly totals = new Map<string, number>()
  /** Where the pages of such lists begin; lists that can be entered anywhere have null. */
  private readonly begins = new Map<string, (string | null)[] | null>()

  constructor(
    readonly client: QueryClient,
    readonly question: TreeQuestion,
  ) {}

  childrenKey(parent: string): unknown[] {
    return ['run', this.question.run, 'live', 'tree', this.question.order, 'children', parent]
  }

  pageKey(level: Level, page?: number): unknown[] {
    const { run, order, status, task } = this.question
    const key = ['run', run, 'live', 'tree', order, 'page', level.key, status, task]
    return page === undefined ? key : [...key, page]
  }

  async fetchChildren(parent: string, signal: AbortSignal): Promise<Children> {
    const { run, order } = this.question
    const answer = await get<TreePage>(runPath(run, 'tree'), { parent, order, offset: 0, limit: FIRST_ROWS }, signal)
    const total = answer.total ?? answer.rows.length + (answer.next === null ? 0 : 1)
    return { rows: answer.rows, total, summaries: answer.summaries }
  }

  async fetchPage(level: Level, page: number, signal: AbortSignal): Promise<Row[]> {
    if (page > 0 && !this.begins.has(level.key)) await this.ensurePage(level, 0)
    const begins = this.begins.get(level.key)
    if (page > 0 && begins) {
      if (begins[page] === undefined) await this.ensurePage(level, page - 1)
      return this.readOn(level, page, begins, begins[page] ?? null, [], signal)
    }
    const answer = await this.ask(level, { offset: page * PAGE, limit: PAGE }, signal)
    if (answer.total === null) {
      const found: (string | null)[] = begins ?? [null]
      this.begins.set(level.key, found)
      return this.readOn(level, page, found, answer.next, answer.rows, signal)
    }
    this.begins.set(level.key, null)
    this.totals.set(level.key, answer.total)
    return answer.rows
  }

  private ask(level: Level, part: Params, signal: AbortSignal): Promise<TreePage> {
    const { run, order, status, task } = this.question
    const wanted = { parent: level.parent, task: level.task ?? (task || null), group: level.group, status, order }
    return get<TreePage>(runPath(run, 'tree'), { ...wanted, ...part }, signal)
  }

  private ensurePage(level: Level, page: number): Promise<Row[]> {
    const queryFn = ({ signal }: { signal: AbortSignal }) => this.fetchPage(level, page, signal)
    return this.client.ensureQueryData({ queryKey: this.pageKey(level, page), queryFn })
  }

  /** Fill a page of a list that has no places: where few rows pass the filters, an answer has few, too. */
  private async readOn(
    level: Level,
    page: number,
    begins: (string | null)[],
    next: string | null,
    rows: Row[],
    signal: AbortSignal,
  ): Promise<Row[]> {
    let cursor = next
    while (cursor !== null && rows.length < PAGE) {
      const answer = await this.ask(level, { cursor, limit: PAGE - rows.length }, signal)
      rows = [...rows, ...answer.rows]
      cursor = answer.next
    }
    begins[page + 1] = cursor
    const known = page * PAGE + rows.length + (cursor === null ? 0 : PAGE)
    const isLast = begins.length === page + 2
    if (isLast) this.totals.set(level.key, known)
    return rows
  }

  children(parent: string): Children | null {
    return this.client.getQueryData<Children>(this.childrenKey(parent)) ?? null
  }

  row(level: Level, index: number): Row | undefined {
    if (!isPaged(level)) return this.children(level.parent)?.rows[index]
    return this.client.getQueryData<Row[]>(this.pageKey(level, Math.floor(index / PAGE)))?.[index % PAGE]
  }

  /** Where a row is now; orders other than "as called" move rows while a run goes on. */
  locate(level: Level, id: string, index: number): number {
    const there = this.row(level, index)
    if (!there || there.action_id === id) return index
    if (!isPaged(level)) return this.children(level.parent)?.rows.findIndex((row) => row.action_id === id) ?? index
    for (const [key, rows] of this.client.getQueriesData<Row[]>({ queryKey: this.pageKey(level) })) {
      const at = rows?.findIndex((row) => row.action_id === id) ?? -1
      if (at >= 0) return (key.at(-1) as number) * PAGE + at
    }
    return index
  }
}

type OpenRows = ReadonlyMap<string, ReadonlyMap<string, number>>

export interface Tree {
  segments: Segment[]
  /** Whose children are unfolded, also of those that have none yet. */
  parents: ReadonlySet<string>
  reader: TreeReader
  /** Fold or unfold a row. */
  toggleRow(level: Level, index: number, row: Row): void
  /** Fold or unfold a summary. */
  toggleSummary(level: Level): void
  isOpen(level: Level, row: Row): boolean
}

export function useTree(question: TreeQuestion): Tree {
  const client = useQueryClient()
  const reader = useRef<TreeReader>(null)
  reader.current ??= new TreeReader(client, question)
  const [openRows, setOpenRows] = useState<OpenRows>(() => new Map([['', new Map([[ROOT, 0]])]]))
  const [toggled, setToggled] = useState<ReadonlySet<string>>(new Set())
  const parents = new Set<string>()
  const known = knownOf(reader.current, openRows, toggled, parents)
  const top = isFlat(question) ? EVERYWHERE : parentLevel('')
  return {
    segments: layOut(top, known),
    parents,
    reader: reader.current,
    toggleRow: (level, index, row) => setOpenRows((before) => withToggled(before, level.key, index, row.action_id)),
    toggleSummary: (level) =>
      setToggled((before) => (before.has(level.key) ? without(before, level.key) : new Set(before).add(level.key))),
    isOpen: (level, row) => openRows.get(level.key)?.has(row.action_id) ?? false,
  }
}

function knownOf(reader: TreeReader, openRows: OpenRows, toggled: ReadonlySet<string>, parents: Set<string>): Known {
  return {
    children: (parent) => {
      parents.add(parent)
      return reader.children(parent)
    },
    total: (level) => reader.totals.get(level.key) ?? null,
    isOpen: (key, byDefault) => byDefault !== toggled.has(key),
    openRows: (level) =>
      [...(openRows.get(level.key) ?? [])]
        .map(([id, index]): [number, string] => [reader.locate(level, id, index), id])
        .filter(([index]) => index >= 0)
        .sort(([one], [other]) => one - other),
  }
}

function without(all: ReadonlySet<string>, one: string): ReadonlySet<string> {
  const rest = new Set(all)
  rest.delete(one)
  return rest
}

function withToggled(before: OpenRows, level: string, index: number, id: string): OpenRows {
  const rows = new Map(before.get(level))
  if (!rows.delete(id)) rows.set(id, index)
  return new Map(before).set(level, rows)
}

/** Load what the visible lines need; of what is out of sight nothing is asked for again. */
export function useTreePages({ segments, parents, reader }: Tree, first: number, last: number): { error: unknown; retry: () => void } {
  const visible = parentsIn(segments, first, last)
  const flat = isFlat(reader.question) && segments[0]?.kind !== 'rows' ? [{ level: EVERYWHERE, page: 0 }] : []
  const pages = [...flat, ...pagesIn(segments, first - AHEAD, last + AHEAD, PAGE)]
  const queries = [
    ...[...parents].map((parent) => ({
      queryKey: reader.childrenKey(parent),
      queryFn: ({ signal }: { signal: AbortSignal }): Promise<unknown> => reader.fetchChildren(parent, signal),
      enabled: visible.has(parent) || !reader.children(parent)?.total,
    })),
    ...pages.map(({ level, page }) => ({
      queryKey: reader.pageKey(level, page),
      queryFn: ({ signal }: { signal: AbortSignal }): Promise<unknown> => reader.fetchPage(level, page, signal),
      enabled: true,
    })),
  ]
  const { error } = useQueries({
    queries,
    combine: (results) => ({
      // The sum changes with every answer, and so makes the caller lay the tree out anew.
      updates: results.reduce((sum, { dataUpdatedAt }) => sum + dataUpdatedAt, 0),
      error: results.find((result) => result.error)?.error ?? null,
    }),
  })
  const key = ['run', reader.question.run, 'live', 'tree']
  return { error, retry: () => void reader.client.refetchQueries({ queryKey: key, type: 'active' }) }
}
