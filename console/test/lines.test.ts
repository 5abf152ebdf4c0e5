import { expect, test } from 'vitest'
import type { LogLine, LogPage } from '../src/api/types'
import { kindOf, linesOf, textOf } from '../src/lib/lines'

function line(id: string, at: number, more: Partial<LogLine> = {}): LogLine {
  return { id, at, action_id: 'a0', attempt: 1, item: null, stream: 'stdout', level: null, logger: null, text: id, ...more }
}

function page(...lines: LogLine[]): LogPage {
  return { lines, next: null, resume: 'r' }
}

test('pages that overlap give each line once, in the order of time', () => {
  const lines = linesOf([page(line('a', 1), line('c', 3)), page(line('c', 3), line('b', 2), line('d', 4))])
  expect(lines.map((one) => one.id)).toEqual(['a', 'b', 'c', 'd'])
})

test('a message has its level, what was printed its stream', () => {
  expect(kindOf(line('a', 1, { stream: 'logging', level: 'WARNING' }))).toBe('warning')
  expect(kindOf(line('a', 1, { stream: 'stderr' }))).toBe('stderr')
})

test('a file has attempt, item and kind of each line', () => {
  const text = textOf([line('said', 0, { attempt: 2, item: 'i7' }), line('by nobody', 1, { attempt: null })])
  expect(text.split('\n').map((one) => one.split(' ').slice(-4).join(' '))).toEqual(['#2 i7 stdout said', '#- stdout by nobody', ''])
})
