/** One listener for all keys. A page says what an action does while it is shown (`useKeys`). */
import { createContext, use, useEffect, useMemo, useRef, type ReactNode } from 'react'

import { pressed } from './pressed'
import { KEYS, type Action, type Key, type Scope } from './registry'

/** What an action does; `false`: not now, so another may. `key`: the one that was pressed. */
export type Does = (key: string) => boolean | void
type Doing = Partial<Record<Action, Does>>

interface Board {
  doing: Set<{ does: Doing; scopes: readonly Scope[] }>
}

const Keyboard = createContext<Board>({ doing: new Set() })

const OF: [Action, Key][] = Object.entries(KEYS) as [Action, Key][]

export function actionsOf(key: string): [Action, Key][] {
  return OF.filter(([, one]) => one.keys.includes(key))
}

function editable(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || target.matches('input:not([type=checkbox]):not([type=radio]), textarea, select') ||
    target.closest('.cm-editor') !== null
}

/** Space and Enter belong to a focused control first. */
function ownKey(target: EventTarget | null, key: string): boolean {
  return (key === ' ' || key === 'Enter') && target instanceof HTMLElement &&
    target.closest('button, a[href], input, select, summary, [role=option][tabindex="0"], [role=tab]') !== null
}

export function KeyboardProvider({ children }: { children: ReactNode }) {
  const board = useMemo<Board>(() => ({ doing: new Set() }), [])
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return
      const key = pressed({
        key: event.key, code: event.code, keyCode: event.keyCode, shiftKey: event.shiftKey, ctrlKey: event.ctrlKey,
        metaKey: event.metaKey, altKey: event.altKey, isComposing: event.isComposing, editable: editable(event.target),
      })
      if (key === null || ownKey(event.target, key)) return
      const actions = actionsOf(key).filter(([, { repeats }]) => repeats || !event.repeat)
      for (const { does, scopes } of [...board.doing].toReversed()) {
        for (const [action, { scope }] of actions) {
          const what = does[action]
          if (!what || !scopes.includes(scope)) continue
          if (what(key) === false) continue
          event.preventDefault()
          return
        }
      }
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [board])
  return <Keyboard value={board}>{children}</Keyboard>
}

/** What these keys do while the component is shown; who came last is asked first. */
export function useKeys(does: Doing, scopes: readonly Scope[] = ['any']): void {
  const board = use(Keyboard)
  const latest = useRef(does)
  latest.current = does
  const named = scopes.join()
  useEffect(() => {
    const entry = {
      scopes: named.split(',') as Scope[],
      get does() {
        return latest.current
      },
    }
    board.doing.add(entry)
    return () => {
      board.doing.delete(entry)
    }
  }, [board, named])
}
