/** The phases of `upwell profile` one after the other, and the five that the timeline shows. */

import type { TaskProfile } from '../api/documents'
import type { Phase } from '../api/types'

export const STEPS: readonly { name: string; phase: Phase; text: string }[] = [
  { name: 'slot', phase: 'queued', text: 'all slots of its executor taken' },
  { name: 'queued', phase: 'queued', text: 'from the call to the claim' },
  { name: 'start', phase: 'start', text: 'start of the executor' },
  { name: 'claim', phase: 'record', text: 'writing the claim' },
  { name: 'bundle', phase: 'start', text: 'fetching and importing the code' },
  { name: 'input', phase: 'data', text: 'fetching and decoding the inputs' },
  { name: 'run', phase: 'run', text: 'the task’s function' },
  { name: 'output', phase: 'data', text: 'encoding and storing the output' },
  { name: 'recorded', phase: 'record', text: 'until the end was written' },
  { name: 'noticed', phase: 'record', text: 'until the parent had the value' },
]

export interface Step {
  name: string
  phase: Phase
  text: string
  from: number
  p50: number
  p90: number
}

/** Lay the medians of a task's phases end to end. A phase without a measurement has no length. */
export function waterfallOf(task: TaskProfile): Step[] {
  let at = 0
  return STEPS.map((step) => {
    const spread = task.phases_s[step.name]
    const p50 = step.name === 'noticed' ? (task.noticed_s.mean ?? 0) : (spread?.p50 ?? 0)
    const laid = { ...step, from: at, p50, p90: Math.max(p50, spread?.p90 ?? 0) }
    at += p50
    return laid
  })
}
