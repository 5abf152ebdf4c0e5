import { useState } from 'react'
import { useLocation } from 'wouter'
import { post, taskPath } from '../api/client'
import type { DeployedTask, InputSchema } from '../api/types'
import { choicesOf, kindOf, typeText, valueOf } from '../lib/inputs'
import { DeedDialog } from '../run/Steering'

/** Asks for the inputs of a run, by the task's schema, and starts it. */
export function SubmitDialog({ task, close }: { task: DeployedTask; close: () => void }) {
  const [, go] = useLocation()
  const [texts, setTexts] = useState<Record<string, string>>({})
  const [name, setName] = useState('')
  const schema = task.inputs
  const fields = Object.entries(schema.properties)
  const isRequired = (field: string) => schema.required?.includes(field) ?? false
  const given = () =>
    Object.fromEntries(
      fields
        .filter(([field]) => texts[field] !== undefined && (texts[field] || isRequired(field)))
        .map(([field, one]) => [field, valueOf(field, texts[field] ?? '', kindOf(one, schema))]),
    )
  return (
    <DeedDialog
      title={`Run ${task.task}?`}
      verb="Run"
      close={close}
      send={async () => post<{ run_id: string }>(taskPath(task.task, 'runs'), { inputs: given(), name: name.trim() || null })}
      done={({ run_id }) => go(`/runs/${encodeURIComponent(run_id)}`)}
    >
      {task.description && <p className="lines">{task.description}</p>}
      {fields.map(([field, one], n) => (
        <label key={field} className="field">
          <span>
            {field} <span className="muted">{typeText(one, schema)}{isRequired(field) ? ', required' : ''}</span>
          </span>
          <Field
            schema={one}
            root={schema}
            text={texts[field]}
            isRequired={isRequired(field)}
            isFirst={n === 0}
            change={(text) => setTexts({ ...texts, [field]: text })}
          />
          {one.description && <small className="muted">{one.description}</small>}
        </label>
      ))}
      <label className="field">
        <span>
          Name of the run <span className="muted">empty: it gets one</span>
        </span>
        <input value={name} onChange={(event) => setName(event.target.value)} spellCheck={false} pattern="[A-Za-z0-9][A-Za-z0-9_\-]{0,63}" />
      </label>
    </DeedDialog>
  )
}

interface FieldProps {
  schema: InputSchema
  root: InputSchema
  text: string | undefined
  isRequired: boolean
  isFirst: boolean
  change: (text: string) => void
}

function Field({ schema, root, text, isRequired, isFirst, change }: FieldProps) {
  const kind = kindOf(schema, root)
  const byDefault = schema.default === undefined ? '' : JSON.stringify(schema.default)
  const shared = { value: text ?? '', required: isRequired && kind !== 'text', autoFocus: isFirst, spellCheck: false }
  if (kind === 'choice' || kind === 'boolean') {
    const choices = kind === 'boolean' ? [true, false] : choicesOf(schema, root)
    return (
      <select {...shared} onChange={(event) => change(event.target.value)}>
        <option value="">{isRequired ? 'Choose…' : `Default: ${byDefault}`}</option>
        {choices.map((choice) => (
          <option key={String(choice)} value={JSON.stringify(choice)}>
            {String(choice)}
          </option>
        ))}
      </select>
    )
  }
  if (kind === 'json')
    return <textarea {...shared} rows={3} placeholder={byDefault || 'JSON'} onChange={(event) => change(event.target.value)} />
  return (
    <input
      {...shared}
      type={kind === 'number' ? 'number' : 'text'}
      step="any"
      placeholder={byDefault}
      onChange={(event) => change(event.target.value)}
    />
  )
}
