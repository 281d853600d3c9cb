/** Decisions that are on their way. They outlive a dropped line and a closed tab (IndexedDB), belong to who made them,
 * and go out one by one, in order, each with a key by which the service takes it once. */
import { api, get, Refusal, unreached, type Alert, type Wanted } from '../api/client'

export interface Sending {
  id: string
  user: string
  card: string
  moves: Wanted[]
  /** By this machine's clock (ms). */
  at: number
}

export type Fate =
  | { kind: 'recorded'; alerts: Alert[] }
  | { kind: 'refused'; why: Refusal }
  | { kind: 'unsent'; why: Refusal }

export interface Shelf {
  all(): Promise<Sending[]>
  put(sending: Sending): Promise<void>
  drop(id: string): Promise<void>
}

export type Send = (sending: Sending) => Promise<Alert[]>

export const MOST = 50
const WAITS_MS = [500, 1_000, 2_000, 5_000, 10_000]

export const sendMoves: Send = async ({ id, moves }) => {
  const answer = await get(api.POST('/api/v1/moves', {
    body: { moves, together: true }, headers: { 'Idempotency-Key': id },
  }))
  return answer.alerts
}

export class Outbox {
  private waiting: Sending[] = []
  private running = false
  private tries = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly watchers = new Set<() => void>()

  constructor(
    private readonly user: string,
    private readonly onFate: (sending: Sending, fate: Fate) => void,
    private readonly shelf: Shelf = new Kept(),
    private readonly send: Send = sendMoves,
  ) {}

  /** What an earlier page of the same person left. */
  async resume(): Promise<void> {
    const left = (await this.shelf.all()).filter((each) => each.user === this.user)
    this.waiting = [...left.sort((a, b) => a.at - b.at), ...this.waiting]
    this.tell()
    this.go()
  }

  get full(): boolean {
    return this.waiting.length >= MOST
  }

  readonly count = (): number => this.waiting.length

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  add(card: string, moves: Wanted[]): Sending {
    const sending = { id: crypto.randomUUID(), user: this.user, card, moves, at: Date.now() }
    this.waiting.push(sending)
    void this.shelf.put(sending).catch(() => {}) // a browser that keeps nothing still sends
    this.tell()
    this.go()
    return sending
  }

  /** Now, whatever the waiting says: the line is back, or somebody signed in. */
  go(): void {
    clearTimeout(this.timer)
    if (!this.running) void this.run()
  }

  stop(): void {
    clearTimeout(this.timer)
    this.running = true
  }

  private async run(): Promise<void> {
    this.running = true
    for (let first = this.waiting[0]; first; first = this.waiting[0]) {
      const fate = await this.one(first)
      this.onFate(first, fate)
      if (fate.kind === 'unsent') {
        this.running = false
        if (!fate.why.signedOut) this.timer = setTimeout(() => this.go(), WAITS_MS[Math.min(this.tries++, WAITS_MS.length - 1)])
        return
      }
      this.tries = 0
      this.waiting.shift()
      await this.shelf.drop(first.id).catch(() => {})
      this.tell()
    }
    this.running = false
  }

  private async one(sending: Sending): Promise<Fate> {
    try {
      return { kind: 'recorded', alerts: await this.send(sending) }
    } catch (error) {
      const why = error instanceof Refusal ? error : unreached(error)
      const later = why.unreached || why.signedOut || why.status === 429 || (why.status === 409 && why.code === 'conflict')
      return { kind: later ? 'unsent' : 'refused', why }
    }
  }

  private tell(): void {
    for (const watcher of this.watchers) watcher()
  }
}

/** IndexedDB: one store, by id. */
class Kept implements Shelf {
  private opened: Promise<IDBDatabase> | undefined

  async all(): Promise<Sending[]> {
    return (await this.ask('readonly', (store) => store.getAll())) as Sending[]
  }

  async put(sending: Sending): Promise<void> {
    await this.ask('readwrite', (store) => store.put(sending))
  }

  async drop(id: string): Promise<void> {
    await this.ask('readwrite', (store) => store.delete(id))
  }

  private async ask(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
    this.opened ??= new Promise((resolve, reject) => {
      const asked = indexedDB.open('redpost', 1)
      asked.addEventListener('upgradeneeded', () => asked.result.createObjectStore('outbox', { keyPath: 'id' }))
      asked.addEventListener('success', () => resolve(asked.result))
      asked.addEventListener('error', () => reject(asked.error ?? new Error('IndexedDB cannot be opened')))
    })
    const database = await this.opened
    return new Promise((resolve, reject) => {
      const request = work(database.transaction('outbox', mode).objectStore('outbox'))
      request.addEventListener('success', () => resolve(request.result))
      request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB refused')))
    })
  }
}
