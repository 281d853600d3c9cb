import { expect, test, vi } from 'vitest'

import { Refusal, type Alert, type Card } from '../api/client'
import { Board } from './board'
import { Outbox, type Fate, type Sending } from './outbox'
import { Parser, type ServerEvent } from './sse'

const alert = (over: Partial<Alert>): Alert => ({
  id: 'a1', tenant: 't', room: 'r1', broadcast: 'b', lane: 0, rule: 'x.y', rule_version: '1', title: '', category: ['absolute_claim'],
  sub: '', tier: 'standard', severity: 'high', clauses: [], scope: 'event', event_ids: ['e1'], at: 1, last_at: 1, offset_ms: 0,
  accepted_at: 1, recurrence: 1, state: 'open', reason: '', text: '', spans: [], evasive: null, advice: { say: '', rewrite: {} },
  post: 'p', priority: 100, moment: 'm1', version: 0, claimed_by: '', ...over,
} as Alert)

const card = (moment: string, priority: number): Card => ({
  moment, post: 'p', room: 'r1', priority, at: 1, unrouted: false, storm: null,
  alerts: [alert({ id: `a-${moment}`, moment, priority })],
})

test('events come whole however the bytes are cut, and a comment is a sign of life', () => {
  const text = 'retry: 2000\n\nid: 18\nevent: alert\ndata: {"a":\ndata: 1}\n\n: still here\n\nid: 19\nevent: hello\ndata: {}\n\n'
  for (const size of [1, 3, 7, text.length]) {
    const events: ServerEvent[] = []
    const ping = vi.fn<() => void>()
    const parser = new Parser((event) => events.push(event), ping)
    for (let i = 0; i < text.length; i += size) parser.feed(text.slice(i, i + size))
    expect(events).toEqual([
      { id: '18', event: 'alert', data: '{"a":\n1}' }, { id: '19', event: 'hello', data: '{}' },
    ])
    expect(ping).toHaveBeenCalledTimes(1)
  }
})

test('what happens elsewhere changes a card in place and moves none', () => {
  const board = new Board({}, 0)
  board.replace([card('m1', 300), card('m2', 200)])
  board.take({ what: 'moved', alert: alert({ id: 'a-m2', moment: 'm2', priority: 900, state: 'closed', version: 4 }) })
  expect(board.now().order).toEqual(['p/m1', 'p/m2'])
  expect(board.card('p/m2')?.alerts[0]?.state).toBe('closed')
  board.take({ what: 'moved', alert: alert({ id: 'a-m2', moment: 'm2', state: 'open', version: 3 }) })
  expect(board.card('p/m2')?.alerts[0]?.state).toBe('closed')
})

test('new ones wait until they are taken in, then stand by priority; the rest keeps its order', () => {
  const board = new Board({ severity: 'high' }, 0)
  board.replace([card('m1', 300), card('m2', 200)])
  board.take({ what: 'opened', alert: alert({ id: 'n1', moment: 'm3', priority: 250 }) })
  board.take({ what: 'opened', alert: alert({ id: 'n2', moment: 'm4', priority: 900, severity: 'low' }) })
  board.take({ what: 'opened', alert: alert({ id: 'n3', moment: 'm1', priority: 100 }) })
  expect(board.now()).toEqual({ order: ['p/m1', 'p/m2'], arrivals: ['p/m3'] })
  expect(board.card('p/m1')?.alerts.map((each) => each.id)).toEqual(['a-m1', 'n3'])
  board.takeIn()
  expect(board.now()).toEqual({ order: ['p/m1', 'p/m3', 'p/m2'], arrivals: [] })
})

test('of one card the most urgent comes first, then that of the most words', () => {
  const board = new Board({}, 0)
  const found = (id: string, priority: number, end: number) => alert({
    id, rule: id, moment: 'm', priority, spans: [{ start: 0, end, text: '', selection: '', view: '', event: null, term: '' }] })
  for (const each of [found('a', 1, 2), found('b', 1, 5), found('c', 2, 1), found('d', 1, 2)]) board.take({ what: 'opened', alert: each })
  expect(board.card('p/m')?.alerts.map(({ id }) => id)).toEqual(['c', 'b', 'a', 'd'])
})

test('an alert that goes to another post shows so where it was', () => {
  const board = new Board({ post: 'p' }, 0)
  board.replace([card('m1', 300)])
  board.take({ what: 'moved', alert: alert({ id: 'a-m1', moment: 'm1', post: 'lead', state: 'escalated', version: 2 }) })
  expect(board.card('p/m1')?.alerts[0]).toMatchObject({ post: 'lead', state: 'escalated' })
  expect(board.now()).toEqual({ order: ['p/m1'], arrivals: [] })
})

class Memory {
  kept = new Map<string, Sending>()
  all = () => Promise.resolve([...this.kept.values()])
  put = (sending: Sending) => Promise.resolve(void this.kept.set(sending.id, sending))
  drop = (id: string) => Promise.resolve(void this.kept.delete(id))
}

test('decisions go out in order, wait out a dropped line, and a refusal does not hold up the next', async () => {
  const shelf = new Memory()
  const sent: string[] = []
  let reached = false
  const fates: string[] = []
  const outbox = new Outbox('me', (sending, fate: Fate) => fates.push(`${sending.card} ${fate.kind}`), shelf, (sending) => {
    if (!reached) return Promise.reject(new Refusal(0, 'unreached', '', '', {}))
    sent.push(sending.card)
    if (sending.card === 'two') return Promise.reject(new Refusal(409, 'refused', '', '', { why: 'stale' }))
    return Promise.resolve([])
  })
  outbox.add('one', [])
  outbox.add('two', [])
  outbox.add('three', [])
  await vi.waitFor(() => expect(fates).toContain('one unsent'))
  expect([...shelf.kept.values()].map((each) => each.card)).toEqual(['one', 'two', 'three'])
  reached = true
  outbox.go()
  await vi.waitFor(() => expect(outbox.count()).toBe(0))
  expect(sent).toEqual(['one', 'two', 'three'])
  expect(fates.slice(-3)).toEqual(['one recorded', 'two refused', 'three recorded'])
  expect(shelf.kept.size).toBe(0)
})

test('what an earlier page left goes out, of the same person only', async () => {
  const shelf = new Memory()
  await shelf.put({ id: '1', user: 'me', card: 'mine', moves: [], at: 1 })
  await shelf.put({ id: '2', user: 'other', card: 'theirs', moves: [], at: 1 })
  const sent: string[] = []
  const outbox = new Outbox('me', () => {}, shelf, (sending) => Promise.resolve(void sent.push(sending.card)).then(() => []))
  await outbox.resume()
  await vi.waitFor(() => expect([...shelf.kept.keys()]).toEqual(['2']))
  expect(sent).toEqual(['mine'])
})
