/** The reviewer's desk: the board, kept true by the stream and the outbox. */
import { useEffect, useMemo, useSyncExternalStore } from 'react'

import { api, get, serviceNow, told, type Alert, type Card, type Wanted } from '../../api/client'
import { Board, keyOf, type Filter, type Stamp } from '../../live/board'
import { Outbox, sendMoves, type Send } from '../../live/outbox'
import type { Stream, Update } from '../../live/stream'
import { claims, movesFor, rectifies, releases, undoes, type Remedy, type Ruling } from './decide'

const PAGE = 200
const MOST = 10_000
export const UNDO_MS = 9_000 // the service allows ten seconds; the last one is the way there

interface Decided {
  key: string
  alerts: string[]
  at: number
}

export class Desk {
  readonly board: Board
  readonly outbox: Outbox
  loaded: 'loading' | 'more' | 'all' | 'failed' = 'loading'
  trouble: Error | null = null
  private begun = false
  /** What came while the queue is read: pages may be older than that. */
  private meanwhile: Update[] | null = null
  private readonly done: Decided[] = []
  /** Claims and releases by card, the latest: what they make of its alerts. */
  private readonly moving = new Map<string, Promise<readonly Alert[]>>()
  private readonly watchers = new Set<() => void>()
  private reading = new AbortController()

  constructor(readonly me: string, readonly filter: Filter, readonly stream: Stream) {
    this.board = new Board({ ...filter, ...(filter.claimed_by ? { claimed_by: me } : {}) })
    this.outbox = new Outbox(me, (sending, fate) => {
      const before = this.board.stampOf(sending.card)
      const outcome = before?.outcome ?? ''
      if (fate.kind === 'recorded') {
        for (const alert of fate.alerts) this.board.take({ what: 'moved', alert })
        const undone = sending.moves.every(({ move }) => move.move === 'undo')
        this.stamp(sending.card, { outcome, state: undone ? 'undone' : 'recorded', at: serviceNow() })
        if (!undone) this.done.push({ key: sending.card, alerts: sending.moves.map((each) => each.alert), at: serviceNow() })
      } else if (fate.kind === 'unsent') {
        this.stamp(sending.card, { outcome, state: 'unsent', at: serviceNow(), why: fate.why.message })
      } else {
        const why = told(fate.why)
        void this.refresh(sending.card).then(() => // so that it says at once who was first
          this.stamp(sending.card, { outcome, state: 'conflict', at: serviceNow(), why }))
      }
    }, undefined, (sending) => this.send(sending))
  }

  /** A claim that was on its way when the decision was made has made another version of the alert: that is no conflict. */
  private readonly send: Send = async (sending) => {
    const own = new Map((await this.moving.get(sending.card))?.map(({ id, version = 0 }) => [id, version]))
    const moves = sending.moves.map((each) => (each.version == null ? each : { ...each, version: Math.max(each.version, own.get(each.alert) ?? 0) }))
    return sendMoves({ ...sending, moves })
  }

  start(): () => void {
    const offUpdate = this.stream.onUpdate((update) => {
      this.meanwhile?.push(update)
      if (this.loaded !== 'loading') this.board.take(update)
    })
    const offReset = this.stream.onReset(() => void this.load())
    const offLine = this.stream.watchLine(() => {
      this.begin()
      if (this.stream.line.state === 'live') this.outbox.go()
    })
    this.begin()
    void this.outbox.resume().catch(() => {})
    return () => {
      offUpdate()
      offReset()
      offLine()
      this.reading.abort()
      this.outbox.stop()
    }
  }

  /** Read the queue once the stream is open, or cannot be: what comes behind the reading is in the stream then. */
  private begin(): void {
    const { state } = this.stream.line
    if (state === 'connecting' || (this.begun && !(state === 'live' && this.loaded === 'failed'))) return
    this.begun = true
    void this.load()
  }

  /** Page by page: the first at once, the rest while people already work. A reading that runs is given up. */
  async load(): Promise<void> {
    this.reading.abort()
    const { signal } = (this.reading = new AbortController())
    let cursor: string | null | undefined
    let seen = 0
    this.meanwhile ??= []
    try {
      do {
        const { age, ...where } = this.filter
        const query = { ...where, ...(age ? { before: serviceNow() - age * 60_000 } : {}), limit: PAGE, ...(cursor ? { cursor } : {}) }
        const page = await get(api.GET('/api/v1/queue', { params: { query }, signal }))
        signal.throwIfAborted()
        if (cursor === undefined) this.board.replace(page.cards)
        else this.board.append(page.cards)
        this.catchUp()
        seen += page.cards.length
        cursor = page.next
        this.become(cursor && seen < MOST ? 'more' : 'all', null)
      } while (cursor && seen < MOST)
    } catch (error) {
      if (signal.aborted) return
      this.catchUp()
      this.become(seen ? 'all' : 'failed', error as Error)
    }
    this.meanwhile = null
  }

  private catchUp(): void {
    for (const update of this.meanwhile ?? []) this.board.take(update)
  }

  decide(card: Card, ruling: Ruling): boolean {
    const moves = movesFor(card, ruling)
    if (!moves.length || this.outbox.full) return false
    const key = keyOf(card)
    this.stamp(key, { outcome: ruling.verdict, state: 'sending', at: serviceNow() })
    this.outbox.add(key, moves)
    return true
  }

  /** The key of the card that came back; none where nothing can be undone any more. */
  undo(): string | null {
    const last = this.done.at(-1)
    if (!last || serviceNow() - last.at > UNDO_MS) return null
    this.done.pop()
    const before = this.board.stampOf(last.key)
    this.stamp(last.key, { outcome: before?.outcome ?? '', state: 'sending', at: serviceNow() })
    this.outbox.add(last.key, undoes(last.alerts))
    return last.key
  }

  /** What was decided last and can still be undone. */
  lastDone(): Decided | null {
    const last = this.done.at(-1)
    return last && serviceNow() - last.at <= UNDO_MS ? last : null
  }

  async claim(card: Card): Promise<void> {
    const mine = releases(card, this.me)
    await this.move(card, mine.length ? mine : claims(card))
  }

  async hold(card: Card): Promise<void> {
    if (!releases(card, this.me).length) await this.move(card, claims(card))
  }

  async putBack(card: Card): Promise<void> {
    await this.moving.get(keyOf(card))
    await this.move(card, releases(this.board.card(keyOf(card)) ?? card, this.me))
  }

  /** Throws `Refusal`. */
  async note(card: Card, note: string): Promise<void> {
    const alert = card.alerts[0]?.id ?? ''
    await this.moveAll([{ alert, version: null, move: { move: 'note', note } }], true)
  }

  /** Throws `Refusal`. */
  async rectify(card: Card, remedy: Remedy, note: string): Promise<void> {
    await this.moveAll(rectifies(card, remedy, note), true)
  }

  private async moveAll(moves: Wanted[], together: boolean): Promise<readonly Alert[]> {
    const { alerts } = await get(api.POST('/api/v1/moves', { body: { moves, together } }))
    for (const alert of alerts) this.board.take({ what: 'moved', alert })
    this.board.flush()
    return alerts
  }

  /** Moves that are worth no second try: a claim that came too late shows on the card by itself, and the decision will
   * tell what is wrong. */
  private async move(card: Card, moves: Wanted[]): Promise<void> {
    if (!moves.length) return
    const made = this.moveAll(moves, false).catch(() => [])
    this.moving.set(keyOf(card), made)
    await made
  }

  private async refresh(key: string): Promise<void> {
    for (const { id } of this.board.card(key)?.alerts ?? [])
      try {
        const { alert } = await get(api.GET('/api/v1/alerts/{id}', { params: { path: { id } } }))
        this.board.take({ what: 'moved', alert })
      } catch {
        // the stream brings it
      }
    this.board.flush()
  }

  private stamp(key: string, stamp: Stamp): void {
    this.board.stamp(key, stamp)
    this.tell()
  }

  private become(loaded: Desk['loaded'], trouble: Error | null): void {
    this.loaded = loaded
    this.trouble = trouble
    this.tell()
  }

  private version = 0
  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  readonly now = () => this.version

  private tell(): void {
    this.version++
    for (const watcher of this.watchers) watcher()
  }
}

export function useDesk(me: string, filter: Filter, stream: Stream): Desk {
  const named = JSON.stringify(filter)
  const desk = useMemo(() => new Desk(me, JSON.parse(named) as Filter, stream), [me, named, stream])
  useEffect(() => desk.start(), [desk])
  useSyncExternalStore(desk.watch, desk.now)
  return desk
}

export const useList = (board: Board) => useSyncExternalStore(board.watchList, board.now)

export function useCard(board: Board, key: string | null): Card | undefined {
  return useSyncExternalStore((watcher) => (key ? board.watch(key, watcher) : () => {}),
    () => (key ? board.card(key) : undefined))
}

export function useStamp(board: Board, key: string | null): Stamp | undefined {
  return useSyncExternalStore((watcher) => (key ? board.watch(key, watcher) : () => {}),
    () => (key ? board.stampOf(key) : undefined))
}
