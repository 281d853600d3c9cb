/** One stream of alerts for all tabs of this browser (six connections per origin are all it has): whoever holds the lock
 * reads it and passes everything on, with the number that it stands at: whoever leads next goes on from there. */
import { proof, type Alert, type Schemas } from '../api/client'
import { Parser, type ServerEvent } from './sse'

export type What = 'opened' | 'grown' | 'moved' | 'corrected' | 'withdrawn'
export interface Update {
  what: What
  alert: Alert
}
export type Look = Schemas['LookMessage']
/** `since`: when this began, by this machine's clock (ms). */
export interface Line {
  state: 'connecting' | 'live' | 'offline' | 'signed_out'
  since: number
}
type Passed =
  | { kind: 'update'; seq: number; update: Update }
  | { kind: 'look'; look: Look }
  | { kind: 'reset' }
  | { kind: 'at'; seq: number }
  | { kind: 'line'; line: Line }
  | { kind: 'hello' }
  | { kind: 'again' }

const SILENT_MS = 35_000 // the service says something every 15 s
const WAITS_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000]
const PATH = '/api/v1/alerts/stream'

export class Stream {
  line: Line = { state: 'connecting', since: Date.now() }
  private seq: number | null = null
  private readonly channel = new BroadcastChannel('redpost.live')
  private readonly listeners = new Set<(update: Update) => void>()
  private readonly lookers = new Set<(look: Look) => void>()
  private readonly resets = new Set<() => void>()
  private readonly watchers = new Set<() => void>()
  private readonly ending = new AbortController()
  private reading: AbortController | null = null
  private waiting = false
  private heard = Date.now()
  /** Is this the tab that reads the stream? */
  leads = false

  start(): () => void {
    this.channel.addEventListener('message', ({ data }: MessageEvent<Passed>) => this.take(data))
    this.channel.postMessage({ kind: 'hello' } satisfies Passed)
    const held = navigator.locks.request('redpost.stream', { signal: this.ending.signal }, () => this.lead())
    held.catch(() => {}) // the page ends
    const awake = () => this.look()
    document.addEventListener('visibilitychange', awake)
    globalThis.addEventListener('pageshow', awake)
    globalThis.addEventListener('online', awake)
    return () => {
      this.ending.abort()
      this.reading?.abort()
      this.channel.close()
      document.removeEventListener('visibilitychange', awake)
      globalThis.removeEventListener('pageshow', awake)
      globalThis.removeEventListener('online', awake)
    }
  }

  onUpdate(listener: (update: Update) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  onLook(looker: (look: Look) => void): () => void {
    this.lookers.add(looker)
    return () => this.lookers.delete(looker)
  }

  /** Updates were missed for good: read everything again. */
  onReset(listener: () => void): () => void {
    this.resets.add(listener)
    return () => this.resets.delete(listener)
  }

  readonly watchLine = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  readonly lineNow = (): Line => this.line

  /** A request was refused because nobody is signed in any more: the stream, which was let in before, must ask again. */
  signedOut(): void {
    if (this.line.state === 'signed_out') return
    this.pass({ kind: 'line', line: this.at('signed_out') })
    this.signedIn()
  }

  /** Somebody signed in; whichever tab reads the stream tries at once. */
  signedIn(): void {
    this.channel.postMessage({ kind: 'again' } satisfies Passed)
    if (this.leads) this.reading?.abort()
  }

  /** Where something suggests that the line is dead, or can be had again. What is asked just now is left its time. */
  look(): void {
    if (this.leads && (this.waiting || Date.now() - this.heard > SILENT_MS)) this.reading?.abort()
  }

  private async lead(): Promise<void> {
    this.leads = true
    const watch = setInterval(() => Date.now() - this.heard > SILENT_MS && this.look(), 5_000)
    try {
      for (let tries = 0; !this.ending.signal.aborted; ) {
        tries = (await this.read()) ? 0 : Math.min(tries + 1, WAITS_MS.length - 1)
        if (this.ending.signal.aborted) return
        if (this.line.state !== 'signed_out') this.pass({ kind: 'line', line: this.at('offline') })
        await this.wait(WAITS_MS[tries] ?? 15_000)
      }
    } finally {
      clearInterval(watch)
    }
  }

  /** Until the line breaks; was it alive? */
  private async read(): Promise<boolean> {
    const reading = (this.reading = new AbortController())
    const first = this.line.state === 'connecting'
    let alive = false
    this.heard = Date.now()
    try {
      const query = this.seq === null ? '' : `?after=${this.seq}`
      const answer = await fetch(PATH + query, { signal: reading.signal, credentials: 'same-origin', headers: proof() })
      if (answer.status === 401) this.pass({ kind: 'line', line: this.at('signed_out') })
      if (!answer.ok || !answer.body) return false
      alive = true
      this.heard = Date.now()
      this.pass({ kind: 'line', line: this.at('live') })
      const parser = new Parser((event) => this.event(event, first), () => {})
      const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await pieces.read()
        if (done) return alive
        this.heard = Date.now()
        parser.feed(value)
      }
    } catch {
      return alive
    } finally {
      reading.abort() // also where what came was no message of ours: the connection is not left open
    }
  }

  /** `first`: nobody has read anything yet that the stream is to keep true. */
  private event({ id, event, data }: ServerEvent, first: boolean): void {
    const seq = Number(id)
    if (event === 'alert') this.pass({ kind: 'update', seq, update: JSON.parse(data) as Update })
    else if (event === 'look') this.pass({ kind: 'look', look: JSON.parse(data) as Look })
    else {
      const told = JSON.parse(data) as Schemas['HelloMessage'] | Schemas['ResetMessage']
      if ('resumed' in told && told.resumed) return
      this.pass({ kind: 'at', seq: told.last })
      if (event === 'reset' || !first) this.pass({ kind: 'reset' })
    }
  }

  private pass(passed: Passed): void {
    this.channel.postMessage(passed)
    this.take(passed)
  }

  private take(passed: Passed): void {
    if (passed.kind === 'update') {
      this.seq = passed.seq
      for (const listener of this.listeners) listener(passed.update)
    } else if (passed.kind === 'look') for (const looker of this.lookers) looker(passed.look)
    else if (passed.kind === 'reset') for (const listener of this.resets) listener()
    else if (passed.kind === 'at') this.seq = passed.seq
    else if (passed.kind === 'line') {
      this.line = passed.line
      for (const watcher of this.watchers) watcher()
    } else if (passed.kind === 'again') {
      if (this.leads) this.reading?.abort()
    } else if (this.leads) {
      if (this.seq !== null) this.channel.postMessage({ kind: 'at', seq: this.seq } satisfies Passed)
      this.channel.postMessage({ kind: 'line', line: this.line } satisfies Passed)
    }
  }

  private at(state: Line['state']): Line {
    return state === this.line.state ? this.line : { state, since: Date.now() }
  }

  private async wait(ms: number): Promise<void> {
    this.reading = new AbortController()
    const { signal } = this.reading
    this.waiting = true
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
    this.waiting = false
  }
}
