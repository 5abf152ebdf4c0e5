import { describe, expect, it } from 'vitest'
import type { Row, Run, Try } from '../src/api/types'
import { barsOf, lengthOfRun } from '../src/lib/status'
import { tickText, timeTicks } from '../src/lib/ticks'

const ROW: Row = {
  action_id: 'a1', parent_id: 'a0', task: 't', name: 't', group: null, status: 'succeeded', attempts: 1, items: 0, children: 0,
  queued_at: 10, started_at: 12, ended_at: 22, phases: { queued: 2, start: 1, data: 1, run: 7, record: 1 }, cached: false,
  error_code: null, tries: [],
}

const FIRST: Try = { sent_at: 10, started_at: 12, ended_at: 22, end: 'failed', generation: 1 }

describe('the bars of an action', () => {
  it('lie end to end from the call to the end', () => {
    expect(barsOf(ROW, 0).map(({ phase, from, to }) => [phase, from, to])).toEqual([
      ['queued', 10, 12],
      ['start', 12, 13],
      ['data', 13, 14],
      ['run', 14, 21],
      ['record', 21, 22],
    ])
  })

  it('never go beyond its end, whatever the clocks said', () => {
    const bars = barsOf({ ...ROW, phases: { run: 30, record: 10 } }, 0)
    expect(bars.at(-1)!.to).toBeCloseTo(22)
  })

  it('grow while it waits and while it runs', () => {
    expect(barsOf({ ...ROW, started_at: null, ended_at: null }, 15)).toEqual([{ phase: 'queued', from: 10, to: 15 }])
    expect(barsOf({ ...ROW, ended_at: null, phases: {} }, 15).at(-1)).toEqual({ phase: 'run', from: 12, to: 15 })
  })
})

describe('the bars of an action with several attempts', () => {
  const second = { sent_at: 100, started_at: 101, ended_at: null, end: null, generation: 2 }
  const recovered: Row = { ...ROW, status: 'running', attempts: 2, queued_at: 100, started_at: 101, ended_at: null, phases: {}, tries: [FIRST, second] }

  it('are on the time of both generations of the run, with the rest between them', () => {
    expect(barsOf(recovered, 105)).toEqual([
      { phase: 'queued', from: 10, to: 12, end: null },
      { phase: 'run', from: 12, to: 22, end: 'failed' },
      { phase: 'queued', from: 100, to: 101 },
      { phase: 'run', from: 101, to: 105 },
    ])
  })

  it('wait for the retry, and do not run meanwhile', () => {
    const waiting: Row = { ...ROW, status: 'queued', ended_at: null, tries: [FIRST] }
    expect(barsOf(waiting, 25).at(-1)).toEqual({ phase: 'queued', from: 22, to: 25 })
    expect(barsOf({ ...waiting, status: 'suspended' }, 25).at(-1)?.to).toBe(22)
  })
})

it('counts the length of a run from its latest recovery on', () => {
  const run = { alive: true, began_at: 100, created_at: 10, duration_s: 3 } as Run
  expect([lengthOfRun(run, 105), lengthOfRun({ ...run, alive: false }, 105)]).toEqual([5, 3])
})

describe('the marks of the axis', () => {
  it('are at the same times when a part of it is shown', () => expect(timeTicks(13, 20, 5)).toEqual([15, 20, 25, 30]))

  it.each([
    [0.9, ['0', '200 ms', '400 ms', '600 ms', '800 ms']],
    [1.6, ['0', '500 ms', '1 s', '1.5 s']],
    [58, ['0', '15 s', '30 s', '45 s']],
    [800, ['0', '5 min', '10 min']],
    [90_000, ['0', '6 h', '12 h', '18 h', '1 d']],
  ])('of %s seconds are in lengths that a person counts in', (length, texts) => {
    expect(timeTicks(0, length, 5).map(tickText)).toEqual(texts)
  })
})
