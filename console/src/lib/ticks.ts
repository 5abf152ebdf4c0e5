/** Marks on an axis of time: at lengths that a person counts in. */

const MINUTE = 60
const HOUR = 3600
const DAY = 86_400
const STEPS_S = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100].map((n) => n * DAY),
]

/** Where the marks are on an axis that begins somewhere and is so long, at most `most` besides the first. */
export function timeTicks(from_s: number, length_s: number, most: number): number[] {
  const step = STEPS_S.find((seconds) => length_s / seconds <= most) ?? STEPS_S.at(-1)!
  const first = Math.ceil(from_s / step - 1e-9)
  const last = Math.floor((from_s + length_s) / step + 1e-9)
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => (first + n) * step)
}

/** `250 ms`, `20 s`, `3 min`, `1 h 30 min`: as short as a mark can be. */
export function tickText(seconds: number): string {
  if (seconds === 0) return '0'
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < MINUTE) return `${Number(seconds.toFixed(3))} s`
  const parts = [
    [Math.floor(seconds / DAY), 'd'],
    [Math.floor((seconds % DAY) / HOUR), 'h'],
    [Math.floor((seconds % HOUR) / MINUTE), 'min'],
    [Math.round(seconds % MINUTE), 's'],
  ] as const
  return parts
    .filter(([n]) => n)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ')
}
