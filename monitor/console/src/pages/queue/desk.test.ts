import { beforeEach, expect, test, vi } from 'vitest'

import type { Alert, Card, Wanted } from '../../api/client'
import type { Line, Stream, Update } from '../../live/stream'
import { Desk } from './desk'

const reading = vi.hoisted(() => ({ answers: [] as ((page: { cards: unknown[]; next: string | null }) => void)[] }))
const moving = vi.hoisted(() => ({ asked: [] as { moves: Wanted[]; answer: (moved: { alerts: unknown[] }) => void }[] }))

vi.mock('../../api/client', async (original) => ({
  ...(await original<object>()),
  api: {
    GET: () => new Promise((resolve) => reading.answers.push(resolve)),
    POST: (_: string, { body: { moves } }: { body: { moves: Wanted[] } }) => new Promise((answer) => moving.asked.push({ moves, answer })),
  },
  get: (asked: Promise<unknown>) => asked,
}))

class Told {
  line: Line = { state: 'connecting', since: 0 }
  private readonly lines = new Set<() => void>()
  private readonly updates = new Set<(update: Update) => void>()
  private readonly resets = new Set<() => void>()

  watchLine = (watcher: () => void) => (this.lines.add(watcher), () => {})
  onUpdate = (listener: (update: Update) => void) => (this.updates.add(listener), () => {})
  onReset = (reset: () => void) => (this.resets.add(reset), () => {})

  reset() {
    for (const each of this.resets) each()
  }

  become(state: Line['state']) {
    this.line = { state, since: 0 }
    for (const watcher of this.lines) watcher()
  }

  tell(alert: Alert) {
    for (const listener of this.updates) listener({ what: 'opened', alert })
  }
}

const alert = (moment: string) => ({
  id: `a-${moment}`, moment, post: 'p', room: 'r', state: 'open', category: [], clauses: [], severity: 'high', tier: 'standard', priority: 1, at: 1, version: 0,
} as unknown as Alert)
const card = (moment: string) => ({ moment, post: 'p', room: 'r', priority: 1, at: 1, alerts: [alert(moment)], unrouted: false, storm: null }) as Card

const closed = (moment: string): Alert => ({ ...alert(moment), state: 'closed', version: 1 })

beforeEach(() => {
  reading.answers = []
  moving.asked = []
})

test('the queue is read once the stream is open, and what comes meanwhile waits behind it', async () => {
  const stream = new Told()
  const desk = new Desk('me', {}, stream as unknown as Stream)
  desk.start()
  expect(reading.answers).toHaveLength(0)
  stream.become('live')
  stream.become('live')
  expect(reading.answers).toHaveLength(1)
  stream.tell(alert('late')) // told after the page was made, before it is here
  expect(desk.board.now()).toEqual({ order: [], arrivals: [] })
  reading.answers[0]!({ cards: [card('early')], next: null })
  await vi.waitFor(() => expect(desk.board.now()).toEqual({ order: ['p/early'], arrivals: ['p/late'] }))
})

test('what is told while a further page is read holds against that page, which may be older', async () => {
  const stream = new Told()
  const desk = new Desk('me', {}, stream as unknown as Stream)
  desk.start()
  stream.become('live')
  reading.answers[0]!({ cards: [card('first')], next: 'further' })
  await vi.waitFor(() => expect(reading.answers).toHaveLength(2))
  stream.tell(closed('first'))
  stream.tell(closed('second'))
  expect(desk.board.card('p/first')?.alerts[0]?.state).toBe('closed')
  reading.answers[1]!({ cards: [card('second')], next: null })
  await vi.waitFor(() => expect(desk.loaded).toBe('all'))
  expect(desk.board.card('p/second')?.alerts[0]?.state).toBe('closed')
})

test('of two readings the later counts, in whatever order they are answered', async () => {
  const stream = new Told()
  const desk = new Desk('me', {}, stream as unknown as Stream)
  desk.start()
  stream.become('live')
  stream.reset()
  expect(reading.answers).toHaveLength(2)
  reading.answers[1]!({ cards: [card('now')], next: null })
  await vi.waitFor(() => expect(desk.loaded).toBe('all'))
  stream.tell(closed('now'))
  reading.answers[0]!({ cards: [card('now'), card('before')], next: null })
  await new Promise(setImmediate) // whoever waited for the answer has it
  expect(desk.board.now().order).toEqual(['p/now'])
  expect(desk.board.card('p/now')?.alerts[0]?.state).toBe('closed')
})

test('a decision that is made while its claim is on the way waits for it, and holds for the version that it makes', async () => {
  const desk = new Desk('me', {}, new Told() as unknown as Stream)
  const seen = card('quick')
  desk.board.replace([seen])
  void desk.hold(seen)
  desk.decide(seen, { verdict: 'violation', reason: 'as_found', clause: '', proof: '', note: '', unticked: new Set() })
  await vi.waitFor(() => expect(desk.board.stampOf('p/quick')?.state).toBe('sending'))
  expect(moving.asked.map(({ moves }) => moves[0]?.move.move)).toEqual(['claim'])
  moving.asked[0]!.answer({ alerts: [{ ...alert('quick'), state: 'claimed', claimed_by: 'me', version: 1 }] })
  await vi.waitFor(() => expect(moving.asked[1]?.moves).toMatchObject([{ alert: 'a-quick', version: 1, move: { move: 'decide' } }]))
})
