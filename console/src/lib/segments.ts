/**
 * The lines of the tree without a list of them. A level of 100,000 rows is one segment; each unfolded row splits its
 * level in two. So folding, scrolling and live growth cost as much as there are unfolded rows, not as there are rows.
 */

import type { Row, Summary } from '../api/types'
import { countOf } from './status'

export const FIRST_ROWS = 25
/** Levels up to this size show their rows; larger ones a summary for each task and group. */

const OPEN_ROWS = 40
/** Summaries of so few rows are unfolded until somebody folds them. */

export interface Level {
  key: string
  /** Parent's id; `*` is every level at once. */
  parent: string
  task: string | null
  group: string | null
}

/** What is known of the children of an action: its first rows, how many there are, and what they are. */
export interface Children {
  rows: Row[]
  total: number
  summaries: Summary[]
}

export type Segment = { start: number; length: number; depth: number } & (
  | { kind: 'rows'; level: Level; from: number }
  | { kind: 'summary'; summary: Summary; level: Level; open: boolean }
  | { kind: 'loading'; level: Level }
)

export interface Known {
  /** Children of an action; null until they were asked for and came. */
  children(parent: string): Children | null
  /** How many rows a paged level has. */
  total(level: Level): number | null
  isOpen(key: string, byDefault: boolean): boolean
  /** Where in a level the unfolded rows are: index to action id. */
  openRows(level: Level): [number, string][]
}

export function parentLevel(parent: string): Level {
  return { key: parent, parent, task: null, group: null }
}

export function summaryLevel(parent: string, summary: Summary): Level {
  const group = summary.group ?? ''
  return { key: JSON.stringify([parent, summary.task, group]), parent, task: summary.task, group }
}

/** All children of an action, by page: where they are of more tasks and groups than are summed up. */
function wholeLevel(parent: string): Level {
  return { key: JSON.stringify([parent]), parent, task: null, group: null }
}

export const EVERYWHERE: Level = { key: '["*"]', parent: '*', task: null, group: null }

export function isPaged(level: Level): boolean {
  return level.key !== level.parent
}


/** Lay the tree out from its top level on. */
export function layOut(top: Level, known: Known): Segment[] {
  const segments: Segment[] = []
  let at = 0

  function add(length: number, depth: number, rest: object): void {
    if (length <= 0) return
    segments.push({ start: at, length, depth, ...rest } as Segment)
    at += length
  }

  function addRows(level: Level, total: number, depth: number): void {
    let from = 0
    for (const [index, id] of known.openRows(level)) {
      if (index >= total) continue
      add(index + 1 - from, depth, { kind: 'rows', level, from })
      from = index + 1
      addChildren(id, depth + 1)
    }
    add(total - from, depth, { kind: 'rows', level, from })
  }

  function addChildren(parent: string, depth: number): void {
    const children = known.children(parent)
    const level = parentLevel(parent)
    if (children === null) return add(1, depth, { kind: 'loading', level })
    if (children.total <= FIRST_ROWS) return addRows(level, children.total, depth)
    const summed = children.summaries.reduce((sum, { counts }) => sum + countOf(counts), 0)
    if (summed < children.total) {
      const whole = wholeLevel(parent)
      return addRows(whole, known.total(whole) ?? children.total, depth)
    }
    for (const summary of children.summaries) addSummary(parent, summary, depth, children.summaries.length === 1)
  }

  function addSummary(parent: string, summary: Summary, depth: number, isOnly: boolean): void {
    const level = summaryLevel(parent, summary)
    const total = known.total(level) ?? countOf(summary.counts)
    if (total === 1) return addRows(level, 1, depth)
    const open = known.isOpen(level.key, isOnly || total <= OPEN_ROWS)
    add(1, depth, { kind: 'summary', summary, level, open })
    if (open) addRows(level, total, depth + 1)
  }

  if (top.parent === '*') {
    const total = known.total(top)
    if (total === null) add(1, 0, { kind: 'loading', level: top })
    else addRows(top, total, 0)
  } else addChildren(top.parent, 0)
  return segments
}

export function lengthOf(segments: Segment[]): number {
  const last = segments.at(-1)
  return last ? last.start + last.length : 0
}

/** The segment that a line is in, found by halving. */
export function segmentAt(segments: Segment[], line: number): Segment | undefined {
  let low = 0
  let high = segments.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const segment = segments[middle]!
    if (line < segment.start) high = middle - 1
    else if (line >= segment.start + segment.length) low = middle + 1
    else return segment
  }
  return undefined
}

/** The line above that a line is folded under; -1 at the top. */
export function parentLine(segments: Segment[], line: number): number {
  const own = segmentAt(segments, line)
  if (!own) return -1
  for (let at = segments.indexOf(own) - 1; at >= 0; at--) {
    const segment = segments[at]!
    if (segment.depth < own.depth) return segment.start + segment.length - 1
  }
  return -1
}

/** Pages of paged levels that have a line from `first` to `last`. */
export function pagesIn(segments: Segment[], first: number, last: number, size: number): { level: Level; page: number }[] {
  const pages = new Map<string, { level: Level; page: number }>()
  for (const segment of segments) {
    if (segment.kind !== 'rows' || !isPaged(segment.level)) continue
    const from = Math.max(first, segment.start) - segment.start + segment.from
    const to = Math.min(last, segment.start + segment.length - 1) - segment.start + segment.from
    for (let page = Math.floor(from / size); from <= to && page <= Math.floor(to / size); page++)
      pages.set(`${segment.level.key}/${page}`, { level: segment.level, page })
  }
  return [...pages.values()]
}

/** Parents of which a line from `first` to `last` is shown as one of their children. */
export function parentsIn(segments: Segment[], first: number, last: number): Set<string> {
  const shown = segments.filter(({ start, length }) => start <= last && start + length > first)
  return new Set(shown.map(({ level }) => level.parent))
}
