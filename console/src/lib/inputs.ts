/** From what a person writes into a form to the JSON that a task's schema wants. */

import type { InputSchema } from '../api/types'

/** How an input is asked for. */
export type Kind = 'text' | 'number' | 'boolean' | 'choice' | 'json'

export function resolved(schema: InputSchema, root: InputSchema): InputSchema {
  const name = schema.$ref?.replace('#/$defs/', '')
  const found = name === undefined ? undefined : root.$defs?.[name]
  return found ? { ...found, ...schema, $ref: undefined } : schema
}

/** The kind of an input; of one that may be null, that of what it is else. */
export function kindOf(schema: InputSchema, root: InputSchema): Kind {
  const whole = resolved(schema, root)
  const members = (whole.anyOf ?? []).filter((member) => member.type !== 'null')
  if (members.length === 1) return kindOf(members[0]!, root)
  if (whole.enum) return 'choice'
  if (whole.type === 'string') return 'text'
  if (whole.type === 'integer' || whole.type === 'number') return 'number'
  if (whole.type === 'boolean') return 'boolean'
  return 'json'
}

export function choicesOf(schema: InputSchema, root: InputSchema): unknown[] {
  const whole = resolved(schema, root)
  const members = (whole.anyOf ?? []).filter((member) => member.type !== 'null')
  return members.length === 1 ? choicesOf(members[0]!, root) : (whole.enum ?? [])
}

/** What to write of a type, in short. */
export function typeText(schema: InputSchema, root: InputSchema): string {
  const whole = resolved(schema, root)
  if (whole.anyOf) return whole.anyOf.map((member) => typeText(member, root)).join(' or ')
  if (whole.enum) return 'one of its values'
  if (whole.type === 'array') return whole.items ? `list of ${typeText(whole.items, root)}` : 'list'
  if (whole.type === 'object') return whole.title ?? 'object'
  return [whole.type ?? 'any JSON', whole.format].filter(Boolean).join(', ')
}

/** The value of a text. Texts are taken as they are; all else is JSON. Throws an `Error` that says what is wrong. */
export function valueOf(name: string, text: string, kind: Kind): unknown {
  if (kind === 'text') return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new Error(`${name} is not JSON: ${text.slice(0, 60)}`)
  }
}
