import { useEffect, useState } from 'react'
import { Link, Route, Switch } from 'wouter'
import { ActionPage } from './action/ActionPage'
import { CachePage } from './fleet/CachePage'
import { PoolsPage } from './fleet/PoolsPage'
import { TasksPage } from './fleet/TasksPage'
import { isTyping } from './lib/keys'
import { Header } from './parts/Header'
import { Help } from './parts/Help'
import { Empty } from './parts/Notes'
import { ComparePage } from './profile/ComparePage'
import { ProfilePage } from './profile/ProfilePage'
import { RunPage } from './run/RunPage'
import { RunsPage } from './runs/RunsPage'

export function App() {
  const [isHelp, setHelp] = useState(false)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== '?' || isTyping(event)) return
      event.preventDefault()
      setHelp(true)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
  return (
    <>
      <Header showHelp={() => setHelp(true)} />
      <main>
        <Switch>
          <Route path="/">
            <RunsPage />
          </Route>
          <Route path="/runs/:run">{({ run }) => <RunPage key={run} run={run} />}</Route>
          <Route path="/runs/:run/profile">{({ run }) => <ProfilePage key={run} run={run} />}</Route>
          <Route path="/runs/:run/actions/:action">
            {({ run, action }) => <ActionPage key={action} run={run} action={action} />}
          </Route>
          <Route path="/compare">
            <ComparePage />
          </Route>
          <Route path="/pools">
            <PoolsPage />
          </Route>
          <Route path="/tasks">
            <TasksPage />
          </Route>
          <Route path="/cache">
            <CachePage />
          </Route>
          <Route>
            <Empty title="There is no such page">
              <p>
                <Link href="/">Show the runs</Link>
              </p>
            </Empty>
          </Route>
        </Switch>
      </main>
      {isHelp && <Help close={() => setHelp(false)} />}
    </>
  )
}
