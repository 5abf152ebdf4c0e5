import { Link, useLocation } from 'wouter'
import { useInfo } from '../api/queries'
import { useTheme } from '../lib/theme'

const PAGES = [
  ['/', 'Runs'],
  ['/tasks', 'Tasks'],
  ['/pools', 'Pools'],
  ['/cache', 'Cache'],
] as const

const THEME_TEXT = { system: 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' }

export function Header({ showHelp }: { showHelp: () => void }) {
  const [path] = useLocation()
  const [theme, nextTheme] = useTheme()
  const { data: info } = useInfo()
  const isCurrent = (page: string) => (page === '/' ? path === '/' || path.startsWith('/runs') : path.startsWith(page))
  return (
    <header className="top">
      <Link href="/" className="brand">
        <img src="/favicon.svg" alt="" width="20" height="20" />
        upwell
      </Link>
      <nav aria-label="Pages">
        {PAGES.filter(([page]) => page !== '/tasks' || info?.features.submit).map(([page, text]) => (
          <Link key={page} href={page} aria-current={isCurrent(page) ? 'page' : undefined}>
            {text}
          </Link>
        ))}
      </nav>
      <span className="where" title={info ? `upwell ${info.version}` : undefined}>
        {info && [info.backend, info.stage, info.region].filter(Boolean).join(' · ')}
      </span>
      <button type="button" className="quiet" onClick={nextTheme}>
        {THEME_TEXT[theme]}
      </button>
      <button type="button" className="quiet" onClick={showHelp} aria-keyshortcuts="?">
        Keys <kbd>?</kbd>
      </button>
    </header>
  )
}
