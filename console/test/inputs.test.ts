import { expect, it } from 'vitest'
import type { InputSchema } from '../src/api/types'
import { choicesOf, kindOf, typeText, valueOf } from '../src/lib/inputs'

const root: InputSchema = { $defs: { Color: { enum: ['red', 'green'], type: 'string' }, Point: { type: 'object', title: 'Point' } } }

it.each<[InputSchema, string, string]>([
  [{ type: 'string', format: 'date-time' }, 'text', 'string, date-time'],
  [{ anyOf: [{ type: 'integer' }, { type: 'null' }] }, 'number', 'integer or null'],
  [{ type: 'boolean' }, 'boolean', 'boolean'],
  [{ $ref: '#/$defs/Color' }, 'choice', 'one of its values'],
  [{ type: 'array', items: { $ref: '#/$defs/Point' } }, 'json', 'list of Point'],
  [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }, 'json', 'integer or string'],
  [{}, 'json', 'any JSON'],
])('asks for %j as %s, and says %s', (schema, kind, text) => {
  expect([kindOf(schema, root), typeText(schema, root)]).toEqual([kind, text])
})

it('offers the values of what may be null', () =>
  expect(choicesOf({ anyOf: [{ $ref: '#/$defs/Color' }, { type: 'null' }] }, root)).toEqual(['red', 'green']))

it('takes texts as they are and all else as JSON', () => {
  expect([valueOf('a', '3', 'text'), valueOf('a', '3', 'number'), valueOf('a', '[1]', 'json')]).toEqual(['3', 3, [1]])
  expect(() => valueOf('points', '[1', 'json')).toThrow('points is not JSON')
})
