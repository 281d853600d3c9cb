/** Who has which moment before them. Told by the stream, forgotten after half a minute, kept nowhere. */
import { useEffect, useSyncExternalStore } from 'react'

import { api } from '../api/client'
import type { Look, Stream } from './stream'

const HOLDS_MS = 30_000
const AGAIN_MS = 20_000
const DWELL_MS = 700

export class Looking {
  private readonly at = new Map<string, Map<string, number>>()
  private readonly watchers = new Set<() => void>()

  constructor(private readonly me: string, private readonly now: () => number = Date.now) {}

  take({ moment, by }: Look): void {
    if (by === this.me) return
    for (const others of this.at.values()) others.delete(by) // one looks at one thing
    const here = this.at.get(moment) ?? new Map<string, number>()
    this.at.set(moment, here.set(by, this.now() + HOLDS_MS))
    this.tell()
  }

  /** Names, in the order in which they came. */
  readonly who = (moment: string): string => {
    const now = this.now()
    return [...(this.at.get(moment) ?? [])].filter(([, until]) => until > now).map(([by]) => by).join('、')
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  private tell(): void {
    for (const watcher of this.watchers) watcher()
  }
}

export const useWho = (looking: Looking, moment: string) => useSyncExternalStore(looking.watch, () => looking.who(moment))

/** Tell the others what one has before oneself, while the page is seen. */
export function useLook(id: string | undefined, stream: Stream, looking: Looking): void {
  useEffect(() => stream.onLook((look) => looking.take(look)), [stream, looking])
  useEffect(() => {
    if (!id) return
    const look = () => {
      if (!document.hidden) void api.POST('/api/v1/alerts/{id}/look', { params: { path: { id } } }).catch(() => {})
    }
    const first = setTimeout(look, DWELL_MS) // not for those that one only passes
    const again = setInterval(look, AGAIN_MS)
    return () => {
      clearTimeout(first)
      clearInterval(again)
    }
  }, [id])
}
