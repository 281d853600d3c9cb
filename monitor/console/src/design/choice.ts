import { useEffect, useSyncExternalStore } from 'react'

import { variables, type ThemeName } from './tokens'

export type Wish = ThemeName | 'system'
const KEPT = 'redpost.theme'
const DARK = '(prefers-color-scheme: dark)'

function watch(watcher: () => void): () => void {
  const asked = matchMedia(DARK)
  asked.addEventListener('change', watcher)
  return () => asked.removeEventListener('change', watcher)
}

/** One choice for whoever asks: the page, and what is set in it by Ant Design. */
let wished: Wish = (globalThis.localStorage?.getItem(KEPT) as Wish | null) ?? 'system'
const choosers = new Set<() => void>()

function watchWish(watcher: () => void): () => void {
  choosers.add(watcher)
  return () => choosers.delete(watcher)
}

/** The theme that is shown, what was wished for, and how to wish. */
export function useThemeChoice(): { name: ThemeName; wish: Wish; choose: (wish: Wish) => void } {
  const wish = useSyncExternalStore(watchWish, () => wished)
  const dark = useSyncExternalStore(watch, () => matchMedia(DARK).matches)
  const name = wish === 'system' ? (dark ? 'dark' : 'light') : wish
  useEffect(() => {
    const { style, dataset } = document.documentElement
    dataset.theme = name
    style.colorScheme = name
    for (const [key, value] of Object.entries(variables(name))) style.setProperty(key, value)
  }, [name])
  return {
    name, wish,
    choose: (next) => {
      localStorage.setItem(KEPT, next)
      wished = next
      for (const each of choosers) each()
    },
  }
}
