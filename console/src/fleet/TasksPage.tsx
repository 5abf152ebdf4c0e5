import { useState } from 'react'
import { useTasks } from '../api/queries'
import type { DeployedTask } from '../api/types'
import { useNow } from '../lib/now'
import { Moment } from '../parts/Moment'
import { Empty, ErrorNote, Skeleton } from '../parts/Notes'
import { SubmitDialog } from './SubmitDialog'

/** Tasks of which runs can be started from here: those that were deployed. */
export function TasksPage() {
  const tasks = useTasks()
  const now = useNow(10_000)
  const [chosen, setChosen] = useState<DeployedTask | null>(null)
  return (
    <section className="page sheet" aria-label="Tasks">
      <div className="bar">
        <h1>Tasks</h1>
        <span className="muted">
          Deployed by <code>upwell deploy FILE.py</code>; their runs have the code of that time
        </span>
      </div>
      {tasks.isError && <ErrorNote error={tasks.error} what="The tasks could not be loaded." retry={() => void tasks.refetch()} />}
      {tasks.isPending && <Skeleton lines={6} />}
      {tasks.data?.length === 0 && (
        <Empty title="No task is deployed">
          <p>
            <code>upwell deploy FILE.py</code> deploys those of a file.
          </p>
        </Empty>
      )}
      {tasks.data && tasks.data.length > 0 && (
        <table className="data">
          <caption className="unseen">Deployed tasks</caption>
          <thead>
            <tr>
              <th scope="col">Task</th>
              <th scope="col">Inputs</th>
              <th scope="col">Pool</th>
              <th scope="col">Deployed</th>
              <th scope="col">
                <span className="unseen">Start</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {tasks.data.map((task) => (
              <tr key={task.task}>
                <td>
                  <b>{task.task}</b>
                  {task.description && <div className="muted">{task.description.split('\n')[0]}</div>}
                </td>
                <td>
                  <code>{Object.keys(task.inputs.properties).join(', ') || '–'}</code>
                </td>
                <td>{task.pool}</td>
                <td>
                  <Moment at={task.deployed_at} now={now} />
                </td>
                <td>
                  <button type="button" onClick={() => setChosen(task)} aria-label={`Run ${task.task}`}>
                    Run…
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {chosen && <SubmitDialog key={chosen.task} task={chosen} close={() => setChosen(null)} />}
    </section>
  )
}
