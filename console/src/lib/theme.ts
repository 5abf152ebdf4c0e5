import { useEffect, useState } from 'react'

export type Theme = 'system' | 'light' | 'dark'
const KEY = 'upwell.theme'
const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' }

function stored(): Theme {
  const value = localStorage.getItem(KEY)
  return value === 'light' || value === 'dark' ? value : 'system'
}

/** The chosen theme and how to go on to the next; `system` follows the reader's own setting. */
export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState(stored)
  useEffect(() => {
    if (theme === 'system') localStorage.removeItem(KEY)
    else localStorage.setItem(KEY, theme)
    document.documentElement.dataset.theme = theme
  }, [theme])
  return [theme, () => setTheme(NEXT[theme])]
}
