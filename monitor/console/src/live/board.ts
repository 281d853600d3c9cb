/** The queue as one person sees it: cards by key, in an order that only they change.
 *
 * What happens elsewhere changes a card in place; it never moves or goes. New cards wait in `arrivals` until they are
 * taken in. Changes gather and are told once per `FLUSH_MS`; a card's watchers hear of that card only. */
import type { Alert, Card } from '../api/client'
import type { paths } from '../api/schema'
import type { Update } from './stream'

type Asked = NonNullable<paths['/api/v1/queue']['get']['parameters']['query']>
export type Filter = Pick<Asked, 'post' | 'severity' | 'category' | 'tier' | 'room' | 'rule' | 'state' | 'claimed_by' | 'platform'> & {
  /** Minutes that it has waited at least. */
  age?: number
}

/** What this person did with a card, until everybody sees it. `at`: by the service's clock (ms). */
export interface Stamp {
  outcome: string
  state: 'sending' | 'recorded' | 'unsent' | 'conflict' | 'undone'
  at: number
  why?: string
}

export interface List {
  order: readonly string[]
  arrivals: readonly string[]
}

const FLUSH_MS = 200
const LIVE = new Set(['open', 'claimed', 'escalated'])

export const keyOf = (card: { post: string; moment: string }) => `${card.post}/${card.moment}`

export const isLive = (alert: Alert) => LIVE.has(alert.state)

/** Is somebody to decide it, now or once it is released? */
export const isPending = (alert: Alert) => isLive(alert) || alert.state === 'held'

/** The alerts of one card, the most urgent first, then that of the most words. */
function joined(alerts: readonly Alert[], alert: Alert): Alert[] {
  const others = alerts.filter((each) => each.id !== alert.id)
  return [...others, alert].sort((a, b) => (b.priority ?? 0) - (a.priority ?? 0) || wordsOf(b) - wordsOf(a) || (a.rule < b.rule ? -1 : 1))
}

const wordsOf = ({ spans }: Alert) => spans.reduce((sum, { start, end }) => sum + end - start, 0)

/** `rooms`: those of the filter's platform, where it has one. */
export function matches(filter: Filter, alert: Alert, rooms?: ReadonlySet<string>): boolean {
  const { category, claimed_by, platform, age, ...same } = filter
  if (age || (platform && !rooms?.has(alert.room))) return false // what is new is not old
  if (category && !alert.category.includes(category)) return false
  if (claimed_by && alert.claimed_by !== claimed_by) return false
  return Object.entries(same).every(([name, value]) => !value || alert[name as keyof Alert] === value)
}

export class Board {
  private cards = new Map<string, Card>()
  private readonly stamps = new Map<string, Stamp>()
  private list: List = { order: [], arrivals: [] }
  private readonly changed = new Set<string>()
  private listChanged = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly watchers = new Map<string, Set<() => void>>()
  private readonly listWatchers = new Set<() => void>()

  private rooms: ReadonlySet<string> = new Set()

  /** Rooms of the filter's platform, once they are known. */
  setRooms(rooms: ReadonlySet<string>): void {
    this.rooms = rooms
  }

  constructor(private readonly filter: Filter, private readonly flushMs = FLUSH_MS) {}

  /** The first page of a fresh look: everything that was shown goes. */
  replace(cards: readonly Card[]): void {
    this.cards = new Map(cards.map((card) => [keyOf(card), card]))
    this.list = { order: cards.map(keyOf), arrivals: [] }
    for (const key of this.watchers.keys()) this.changed.add(key)
    this.listChanged = true
    this.flush()
  }

  /** A following page. */
  append(cards: readonly Card[]): void {
    const order = [...this.list.order]
    const arrivals = new Set(this.list.arrivals)
    for (const card of cards) {
      const key = keyOf(card)
      if (!this.cards.has(key)) order.push(key)
      else if (arrivals.delete(key)) order.push(key)
      this.cards.set(key, card)
      this.changed.add(key)
    }
    this.list = { order, arrivals: [...arrivals] }
    this.listChanged = true
    this.flush()
  }

  take({ alert }: Update): void {
    const key = keyOf({ post: alert.post ?? '', moment: alert.moment ?? alert.id })
    this.leave(alert, key)
    const card = this.cards.get(key)
    if (card) {
      const known = card.alerts.find((each) => each.id === alert.id)
      if (known && (known.version ?? 0) > (alert.version ?? 0)) return
      if (!known && !isLive(alert)) return
      this.cards.set(key, { ...card, alerts: joined(card.alerts, alert), priority: Math.max(card.priority, alert.priority ?? 0) })
      this.changed.add(key)
    } else {
      if (!isLive(alert) || !matches(this.filter, alert, this.rooms)) return
      const { post = '', moment = alert.id, room, priority = 0, at } = alert
      this.cards.set(key, { post, moment, room, priority, at, alerts: [alert], unrouted: false, storm: null })
      this.list = { ...this.list, arrivals: [...this.list.arrivals, key] }
      this.listChanged = true
    }
    this.soon()
  }

  /** An alert that went to another post is shown where it was as it now is, so that nobody wonders where it went. */
  private leave(alert: Alert, key: string): void {
    const ending = `/${alert.moment ?? alert.id}`
    for (const [other, card] of alert.post === undefined ? [] : this.cards)
      if (other !== key && other.endsWith(ending) && card.alerts.some((each) => each.id === alert.id)) {
        this.cards.set(other, { ...card, alerts: joined(card.alerts, alert) })
        this.changed.add(other)
        this.soon()
      }
  }

  /** Arrivals come into the order by priority, behind what is already there of the same; nothing else moves. */
  takeIn(): void {
    const priority = (key: string) => this.cards.get(key)?.priority ?? 0
    const fresh = [...this.list.arrivals].sort((a, b) => priority(b) - priority(a))
    const order: string[] = []
    let next = 0
    for (const key of this.list.order) {
      while (next < fresh.length && priority(fresh[next]!) > priority(key)) order.push(fresh[next++]!)
      order.push(key)
    }
    this.list = { order: [...order, ...fresh.slice(next)], arrivals: [] }
    this.listChanged = true
    this.flush()
  }

  stamp(key: string, stamp: Stamp | null): void {
    if (stamp) this.stamps.set(key, stamp)
    else this.stamps.delete(key)
    this.changed.add(key)
    this.flush()
  }

  readonly card = (key: string): Card | undefined => this.cards.get(key)
  readonly stampOf = (key: string): Stamp | undefined => this.stamps.get(key)
  readonly now = (): List => this.list

  readonly watchList = (watcher: () => void): (() => void) => {
    this.listWatchers.add(watcher)
    return () => this.listWatchers.delete(watcher)
  }

  watch(key: string, watcher: () => void): () => void {
    const some = this.watchers.get(key) ?? new Set()
    this.watchers.set(key, some.add(watcher))
    return () => {
      some.delete(watcher)
      if (!some.size) this.watchers.delete(key)
    }
  }

  /** Changes made here show at once, those of others soon. */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const keys = [...this.changed]
    this.changed.clear()
    for (const key of keys) for (const watcher of this.watchers.get(key) ?? []) watcher()
    if (this.listChanged) {
      this.listChanged = false
      for (const watcher of this.listWatchers) watcher()
    }
  }

  private soon(): void {
    this.timer ??= setTimeout(() => this.flush(), this.flushMs)
  }
}
