/** Lines of logs, put together of pages that may overlap. */

import type { LogLine, LogPage } from '../api/types'
import { instant } from './format'

/** All lines of some pages, each once, in the order of time. */
export function linesOf(pages: LogPage[]): LogLine[] {
  const found = new Map<string, LogLine>()
  for (const page of pages) for (const line of page.lines) found.set(line.id, line)
  const lines = [...found.values()]
  const isSorted = lines.every((line, n) => n === 0 || lines[n - 1]!.at <= line.at)
  return isSorted ? lines : lines.sort((one, other) => one.at - other.at)
}

/** What kind of line it is: the level of a message, or the stream that was printed to. */
export function kindOf(line: LogLine): string {
  return line.level?.toLowerCase() ?? line.stream
}

/** Lines as a text file has them. */
export function textOf(lines: LogLine[]): string {
  return lines
    .map((line) => `${instant(line.at)} #${line.attempt ?? '-'}${line.item ? ` ${line.item}` : ''} ${kindOf(line)} ${line.text}\n`)
    .join('')
}
