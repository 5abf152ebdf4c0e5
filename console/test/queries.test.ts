import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { expect, test } from 'vitest'
import { askAgain } from '../src/api/queries'

/** A query whose answers are given by hand. */
function observed(client: QueryClient, queryKey: string[]) {
  const asked: ((answer: string) => void)[] = []
  const queryFn = () => new Promise<string>((answer) => asked.push(answer))
  new QueryObserver(client, { queryKey, queryFn }).subscribe(() => {})
  return asked
}

const settled = () => new Promise((done) => setTimeout(done))

test('what was under way when a run changed is asked for once more, and nothing else twice', async () => {
  const client = new QueryClient()
  const slow = observed(client, ['run', 'slow'])
  const fast = observed(client, ['run', 'fast'])
  fast[0]!('old')
  await settled()
  const done = askAgain(client, ['run'])
  await settled()
  expect([slow.length, fast.length]).toEqual([1, 2])
  slow[0]!('old')
  fast[1]!('new')
  await settled()
  expect([slow.length, fast.length]).toEqual([2, 2])
  slow[1]!('new')
  await done
  expect(client.getQueryData(['run', 'slow'])).toBe('new')
})
