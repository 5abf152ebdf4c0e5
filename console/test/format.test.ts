import { describe, expect, it } from 'vitest'
import { ago, bytes, change, duration, groupName, percent, usd } from '../src/lib/format'

describe('duration', () => {
  it.each([
    [null, '–'],
    [0, '0 ms'],
    [0.00001, '< 0.1 ms'],
    [0.0004, '0.4 ms'],
    [0.32, '320 ms'],
    [0.9996, '1.00 s'],
    [4.211, '4.21 s'],
    [59.96, '1 min'],
    [72, '1 min 12 s'],
    [3600, '1 h'],
    [11_100, '3 h 5 min'],
    [187_200, '2 d 4 h'],
  ])('shows %s as %s', (seconds, text) => expect(duration(seconds)).toBe(text))
})

describe('ago', () => {
  it.each([
    [1, 'just now'],
    [12, '12 s ago'],
    [300, '5 min ago'],
    [7200, '2 h ago'],
    [700_000, '8 d ago'],
    [-90, 'in 1 min'],
  ])('shows %s seconds as %s', (seconds, text) => expect(ago(1000, 1000 + seconds)).toBe(text))
})

it('shows sizes in binary units', () => expect([17, 1536, 20 * 1024 ** 2].map(bytes)).toEqual(['17 B', '1.5 KiB', '20.0 MiB']))
it('shows small sums of money with three digits that say something', () =>
  expect([12.3, 0.0042, 0.0000012, 0].map(usd)).toEqual(['$12.30', '$0.00420', '$0.00000120', '$0']))
it('shows shares', () => expect([0.251, 0.012, 0].map(percent)).toEqual(['25 %', '1.2 %', '0 %']))
it('shows what became of a number', () =>
  expect([change(10, 12), change(10, 9.5), change(10, 30), change(0, 1), change(2, 2)]).toEqual(['+20 %', '−5.0 %', '× 3.0', 'new', '±0 %']))
it('shows of a map\'s group what its task does not say', () =>
  expect([groupName('shop.score_map', 'shop.score'), groupName('scoring', 'shop.score')]).toEqual(['map', 'scoring']))
