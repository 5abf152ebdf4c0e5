/** Numbers, sizes and times as a person reads them. */

const MINUTE = 60
const HOUR = 3600
const DAY = 86_400

/** A length of time in two units at most: `0.4 ms`, `320 ms`, `4.21 s`, `1 min 12 s`, `3 h 5 min`, `2 d 4 h`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–'
  if (seconds < 0) return '0 ms'
  if (seconds === 0) return '0 ms'
  if (seconds < 0.00005) return '< 0.1 ms'
  if (seconds < 0.00095) return `${(seconds * 1000).toFixed(1)} ms`
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < HOUR) return pair(Math.floor(whole / MINUTE), 'min', whole % MINUTE, 's')
  if (whole < DAY) return pair(Math.floor(whole / HOUR), 'h', Math.floor((whole % HOUR) / MINUTE), 'min')
  return pair(Math.floor(whole / DAY), 'd', Math.floor((whole % DAY) / HOUR), 'h')
}

function pair(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small ? `${big} ${bigUnit} ${small} ${smallUnit}` : `${big} ${bigUnit}`
}

/** How long ago: `just now`, `12 s ago`, `5 min ago`, `3 h ago`, `8 d ago`; `in 5 min` for what is to come. */
export function ago(at: number, now: number): string {
  const past = now - at
  const length = Math.abs(past)
  if (length < 5) return 'just now'
  const text =
    length < MINUTE
      ? `${Math.floor(length)} s`
      : length < HOUR
        ? `${Math.floor(length / MINUTE)} min`
        : length < 2 * DAY
          ? `${Math.floor(length / HOUR)} h`
          : `${Math.floor(length / DAY)} d`
  return past < 0 ? `in ${text}` : `${text} ago`
}

/** An instant in full, in the reader's time zone: `2025-01-31 14:03:22.118 +01:00`. */
export function instant(at: number): string {
  const time = new Date(at * 1000)
  const offset = -time.getTimezoneOffset()
  const local = new Date(time.getTime() + offset * 60_000).toISOString().replace('T', ' ').replace('Z', '')
  const sign = offset < 0 ? '-' : '+'
  const hours = String(Math.floor(Math.abs(offset) / 60)).padStart(2, '0')
  const minutes = String(Math.abs(offset) % 60).padStart(2, '0')
  return `${local} ${sign}${hours}:${minutes}`
}

export function clock(at: number): string {
  return instant(at).slice(11, 23)
}

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

export function count(n: number): string {
  return WHOLE.format(n)
}

/** `1 action`, `12,000 actions`. */
export function counted(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`
}

/** `17 B`, `1.5 KiB`, `20.0 MiB`. */
export function bytes(size: number | null | undefined): string {
  if (size === null || size === undefined) return '–'
  if (size < 1024) return `${size} B`
  let left = size
  for (const unit of ['KiB', 'MiB', 'GiB', 'TiB']) {
    left /= 1024
    if (left < 1024 || unit === 'TiB') return `${left.toFixed(1)} ${unit}`
  }
  return ''
}

/** Dollars with as many digits as say something: `$12.30`, `$0.0042`, `$0.00000120`. */
export function usd(dollars: number): string {
  if (dollars === 0) return '$0'
  if (Math.abs(dollars) >= 1) return `$${dollars.toFixed(2)}`
  const digits = Math.min(9, 2 - Math.floor(Math.log10(Math.abs(dollars))))
  return `$${dollars.toFixed(digits)}`
}

export function percent(ratio: number): string {
  const value = ratio * 100
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`
}

/**
 * What became of a number, in percent of what it was: `+12 %`, `−3.4 %`, `× 2.5` from twice as much on; `new` where
 * there was nothing.
 */
export function change(before: number, after: number): string {
  if (before === after) return '±0 %'
  if (before === 0) return 'new'
  const ratio = (after - before) / before
  if (ratio >= 1) return `× ${(after / before).toFixed(1)}`
  const sign = ratio > 0 ? '+' : '−'
  return `${sign}${Math.abs(ratio * 100) < 10 ? Math.abs(ratio * 100).toFixed(1) : Math.round(Math.abs(ratio * 100))} %`
}

/** A group's name; of a map's, which begins with the name of its task, the rest. */
export function groupName(group: string, task: string): string {
  return group.startsWith(`${task}_`) ? group.slice(task.length + 1) : group
}
