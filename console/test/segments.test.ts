import { describe, expect, it } from 'vitest'
import type { Row, Summary } from '../src/api/types'
import {
  type Children,
  type Known,
  layOut,
  lengthOf,
  type Level,
  pagesIn,
  parentLevel,
  parentLine,
  parentsIn,
  segmentAt,
  summaryLevel,
} from '../src/lib/segments'

function rowOf(id: string): Row {
  return {
    action_id: id, parent_id: null, task: 't', name: 't', group: null, status: 'succeeded', attempts: 1, items: 0, children: 0,
    queued_at: 0, started_at: 0, ended_at: 1, phases: {}, cached: false, error_code: null, tries: [],
  }
}

function summaryOf(task: string, n: number): Summary {
  return { task, group: null, counts: { succeeded: n }, p50_s: 1, p90_s: 1, p99_s: 1, max_s: 1 }
}

function childrenOf(total: number, summaries: Summary[] = []): Children {
  return { rows: Array.from({ length: Math.min(total, 25) }, (_, n) => rowOf(`c${n}`)), total, summaries }
}

interface Setup {
  children?: Record<string, Children>
  open?: string[]
  openRows?: Record<string, [number, string][]>
}

function knownOf({ children = {}, open = [], openRows = {} }: Setup): Known {
  return {
    children: (parent) => children[parent] ?? null,
    total: () => null,
    isOpen: (key, byDefault) => byDefault !== open.includes(key),
    openRows: (level: Level) => openRows[level.key] ?? [],
  }
}

const MAP = summaryOf('score', 100_000)
const BIG: Setup = {
  children: { '': childrenOf(1), a0: childrenOf(100_001, [summaryOf('load', 1), MAP]), a7: childrenOf(3) },
  openRows: { '': [[0, 'a0']] },
}
const MAP_KEY = summaryLevel('a0', MAP).key

describe('a tree', () => {
  it('shows what is being loaded as one line', () => {
    expect(layOut(parentLevel(''), knownOf({})).map(({ kind }) => kind)).toEqual(['loading'])
  })

  it('shows a large level as its summaries, and a task that was called once as its row', () => {
    const segments = layOut(parentLevel(''), knownOf(BIG))
    expect(segments.map(({ kind, start, length, depth }) => [kind, start, length, depth])).toEqual([
      ['rows', 0, 1, 0],
      ['rows', 1, 1, 1],
      ['summary', 2, 1, 1],
    ])
  })

  it('has 100,000 rows in one segment', () => {
    const segments = layOut(parentLevel(''), knownOf({ ...BIG, open: [MAP_KEY] }))
    expect(segments).toHaveLength(4)
    expect(lengthOf(segments)).toBe(100_003)
    expect(segmentAt(segments, 70_000)).toBe(segments[3])
    expect(segmentAt(segments, 100_003)).toBeUndefined()
  })

  it('splits a level at an unfolded row', () => {
    const openRows = { ...BIG.openRows, [MAP_KEY]: [[49, 'a7']] as [number, string][] }
    const segments = layOut(parentLevel(''), knownOf({ ...BIG, open: [MAP_KEY], openRows }))
    expect(segments.slice(3).map(({ start, length, depth }) => [start, length, depth])).toEqual([
      [3, 50, 2],
      [53, 3, 3],
      [56, 99_950, 2],
    ])
    expect(parentLine(segments, 54)).toBe(52)
    expect(parentLine(segments, 60)).toBe(2)
    expect(parentLine(segments, 0)).toBe(-1)
  })

  it('pages through a level of more tasks and groups than are summed up', () => {
    const children = { '': childrenOf(1), a0: childrenOf(500, [summaryOf('score', 60)]) }
    const segments = layOut(parentLevel(''), knownOf({ ...BIG, children }))
    expect(segments.map(({ kind, length }) => [kind, length])).toEqual([
      ['rows', 1],
      ['rows', 500],
    ])
    expect(pagesIn(segments, 0, 10, 100)).toHaveLength(1)
  })

  it('unfolds a summary of few rows by itself, and folds it when it is told to', () => {
    const few = summaryOf('score', 30)
    const setup = { ...BIG, children: { '': childrenOf(1), a0: childrenOf(31, [summaryOf('load', 1), few]) } }
    expect(lengthOf(layOut(parentLevel(''), knownOf(setup)))).toBe(33)
    expect(lengthOf(layOut(parentLevel(''), knownOf({ ...setup, open: [summaryLevel('a0', few).key] })))).toBe(3)
  })

  it('unfolds the only summary by itself', () => {
    const children = { '': childrenOf(1), a0: childrenOf(500, [summaryOf('score', 500)]) }
    expect(lengthOf(layOut(parentLevel(''), knownOf({ ...BIG, children })))).toBe(502)
  })

  it('needs only the pages and the parents that are in sight', () => {
    const segments = layOut(parentLevel(''), knownOf({ ...BIG, open: [MAP_KEY] }))
    expect(pagesIn(segments, 253, 310, 100).map(({ page }) => page)).toEqual([2, 3])
    expect([...parentsIn(segments, 0, 0)]).toEqual([''])
    expect([...parentsIn(segments, 200, 210)]).toEqual(['a0'])
  })
})
