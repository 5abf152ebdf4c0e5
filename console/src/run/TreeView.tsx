import { useVirtualizer } from '@tanstack/react-virtual'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { Row } from '../api/types'
import { useThrottled } from '../lib/throttle'
import { isTyping } from '../lib/keys'
import { lengthOf, parentLine, type Segment, segmentAt } from '../lib/segments'
import { Empty, ErrorNote } from '../parts/Notes'
import type { Span } from './PhaseBar'
import { ActionCells, LoadingCells, SummaryCells } from './TreeRows'
import { isFlat, type Tree, type TreeQuestion, useTree, useTreePages } from './useTree'

const ROW_PX = 28
const HEAD_PX = 84
const LOAD_EVERY_MS = 80

interface Props {
  question: TreeQuestion
  span: Span
  now: number
  selected: string | null
  select: (action: string | null) => void
  clearFilters: () => void
  /** What stands over the timeline: the load of the run and the axis. */
  head: ReactNode
}

interface Line {
  segment: Segment
  index: number
  row: Row | undefined
}

function lineAt(tree: Tree, at: number): Line | null {
  const segment = segmentAt(tree.segments, at)
  if (!segment) return null
  const index = segment.kind === 'rows' ? segment.from + at - segment.start : 0
  return { segment, index, row: segment.kind === 'rows' ? tree.reader.row(segment.level, index) : undefined }
}

/** Whether a line has lines inside: where that is not known, it may have. */
function canOpen(tree: Tree, { segment, row }: Line): boolean {
  if (segment.kind === 'summary') return true
  return row !== undefined && (row.children ?? tree.reader.children(row.action_id)?.total ?? 1) > 0
}

function toggle(tree: Tree, line: Line): void {
  const { segment, index, row } = line
  if (segment.kind === 'summary') tree.toggleSummary(segment.level)
  else if (row && canOpen(tree, line)) tree.toggleRow(segment.level, index, row)
}

function isOpen(tree: Tree, { segment, row }: Line): boolean {
  return segment.kind === 'summary' ? segment.open : row !== undefined && tree.isOpen(segment.level, row)
}

export function TreeView({ question, span, now, selected, select, clearFilters, head }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const [line, setCursor] = useState(0)
  const tree = useTree(question)
  const total = lengthOf(tree.segments)
  const cursor = Math.max(0, Math.min(line, total - 1))
  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    paddingStart: HEAD_PX,
    scrollPaddingStart: HEAD_PX,
    initialRect: { width: 1000, height: 600 },
  })
  const items = virtual.getVirtualItems()
  const first = useThrottled(items[0]?.index ?? 0, LOAD_EVERY_MS)
  const last = useThrottled(items.at(-1)?.index ?? 0, LOAD_EVERY_MS)
  const { error, retry } = useTreePages(tree, first, Math.max(last, first))

  function moveTo(wanted: number): void {
    const at = Math.min(total - 1, Math.max(0, wanted))
    setCursor(at)
    virtual.scrollToIndex(at)
  }

  function open(at: number): void {
    const line = lineAt(tree, at)
    if (!line) return
    setCursor(at)
    if (line.row) select(line.row.action_id)
    else toggle(tree, line)
  }

  const act = useRef<(key: string) => boolean>(() => false)
  act.current = (key) => {
    const line = lineAt(tree, cursor)
    const screen = Math.floor((box.current?.clientHeight ?? 0) / ROW_PX) - 4
    const moves: Record<string, number> = {
      j: cursor + 1,
      ArrowDown: cursor + 1,
      k: cursor - 1,
      ArrowUp: cursor - 1,
      PageDown: cursor + screen,
      PageUp: cursor - screen,
      Home: 0,
      End: total - 1,
    }
    const wanted = moves[key]
    if (wanted !== undefined) moveTo(wanted)
    else if (!line) return false
    else if (key === 'ArrowRight') isOpen(tree, line) ? moveTo(cursor + 1) : toggle(tree, line)
    else if (key === 'ArrowLeft') isOpen(tree, line) ? toggle(tree, line) : moveTo(parentLine(tree.segments, cursor))
    else if (key === 'Enter') open(cursor)
    else return false
    return true
  }
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement
      if (isTyping(event) || (event.key === 'Enter' && target.closest('a, button'))) return
      if (act.current(event.key)) event.preventDefault()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])

  return (
    <div
      ref={box}
      className="tree"
      role="treegrid"
      aria-label="Actions"
      aria-rowcount={total + 1}
      aria-activedescendant={`line-${cursor}`}
      tabIndex={0}
    >
      <div className="tree-head" role="row" style={{ height: HEAD_PX }}>
        <div className="cell" role="columnheader">
          Action
        </div>
        <div className="cell" role="columnheader">
          Status
        </div>
        <div className="cell number" role="columnheader">
          Duration
        </div>
        <div className="cell time" role="columnheader" aria-label="Timeline">
          {head}
        </div>
      </div>
      {error !== null && <ErrorNote error={error} what="Some actions could not be loaded." retry={retry} />}
      {total === 0 && isFlat(question) && (
        <Empty title="No action matches the filters">
          <button type="button" onClick={clearFilters}>
            Clear the filters
          </button>
        </Empty>
      )}
      <div role="presentation" className="tree-body" style={{ height: virtual.getTotalSize() - HEAD_PX }}>
        {items.map(({ index: at, start }) => {
          const line = lineAt(tree, at)
          if (!line) return null
          const { segment, row } = line
          const unfolded = isOpen(tree, line)
          const openable = canOpen(tree, line)
          return (
            <div
              key={at}
              id={`line-${at}`}
              role="row"
              aria-rowindex={at + 2}
              aria-level={segment.depth + 1}
              aria-expanded={openable ? unfolded : undefined}
              aria-selected={row !== undefined && row.action_id === selected}
              className={`line is-${segment.kind}${at === cursor ? ' is-cursor' : ''}`}
              style={{ transform: `translateY(${start - HEAD_PX}px)` }}
              onClick={(event) => {
                if ((event.target as Element).closest('[data-twisty]')) {
                  setCursor(at)
                  toggle(tree, line)
                } else open(at)
              }}
            >
              {segment.kind === 'summary' ? (
                <SummaryCells summary={segment.summary} depth={segment.depth} isOpen={unfolded} now={now} {...span} />
              ) : row ? (
                <ActionCells row={row} canOpen={openable} isGrouped={segment.level.task !== null} depth={segment.depth} isOpen={unfolded} now={row.ended_at ? 0 : now} {...span} />
              ) : (
                <LoadingCells depth={segment.depth} />
              )}
            </div>
          )
        })}
      </div>
    </div>
  )
}
