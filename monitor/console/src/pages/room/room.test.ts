import { expect, test } from 'vitest'

import { findsOf, linesOf, offsetAt, markingsOf, wordsOf } from './lines'
import { bars, countsOf, merged, nearest, timesIn, within, zoomed, type Point, type Timeline } from './model'

const point = (at: number, over: Partial<Point> = {}): Point => ({
  finding: `f${at}`, alert: 'a', source: 's', event: `e${at}`, at, lane: 0, severity: 'high', tier: 'redline', category: ['absolute_claim'], rule: 'r',
  title: '绝对化用语', text: '全网最低', spans: [{ start: 2, end: 4, text: '最低', term: '', event: null } as unknown as Point['spans'][number]], state: 'open',
  outcome: '', corrected_at: null, ...over,
})
const broadcast = { id: 'b', tenant: 't', room: 'r', started_at: 0, last_at: 0, named: true, seen_at: 0, ended_at: null, why_ended: '', heard_at: 0 }
const timeline = (over: Partial<Timeline>): Timeline => ({
  now: 0, broadcast, since: 0, until: 20, bucket_ms: 5, series: [], points: [], more: false, cues: [], signals: [], others: [], mute: false, ...over,
})
const event = (id: string, at: number, text: string, revision = 0) => ({
  source: 's', id, revision, room: 'r', broadcast: 'b', lane: 0, kind: 'transcript', stage: 'live', role: 'host', speaker: '', at, offset_ms: null, text,
  masked: [], sampled_out: false,
})

test('a tail replaces the buckets and points of its time, and comes behind all others', () => {
  const known = timeline({ series: [{ kind: 'comment', lane: 1, counts: [1, 2, 3, 4] }], points: [point(1), point(11)] })
  const tail = timeline({ since: 10, until: 30, series: [{ kind: 'comment', lane: 1, counts: [3, 5, 6, 7] }, { kind: 'transcript', lane: 0, counts: [1, 0, 0, 1] }], points: [point(11), point(22)] })
  const both = merged(known, tail)!
  expect(countsOf(both, 'comment')).toEqual([1, 2, 3, 5, 6, 7])
  expect(countsOf(both, 'transcript')).toEqual([0, 0, 1, 0, 0, 1])
  expect(both.points.map((each) => each.at)).toEqual([1, 11, 22])
  expect([both.since, both.until]).toEqual([0, 30])
})

test('a tail of other buckets, or of another broadcast, continues nothing', () => {
  expect(merged(timeline({}), timeline({ bucket_ms: 10 }))).toBeNull()
  expect(merged(timeline({}), timeline({ broadcast: { ...broadcast, id: 'other' } }))).toBeNull()
  expect(merged(timeline({ since: 10 }), timeline({ since: 5 }))).toBeNull()
})

test('of many buckets the highest are drawn, each where it lies', () => {
  expect(bars([1, 0, 3, 2], 0, 5, { from: 0, to: 20 }, 4)).toEqual([
    { x: 0, width: 0.25, value: 1 }, { x: 0.5, width: 0.25, value: 3 }, { x: 0.75, width: 0.25, value: 2 }])
  expect(bars([1, 0, 3, 2], 0, 5, { from: 0, to: 20 }, 2)).toEqual([{ x: 0, width: 0.5, value: 1 }, { x: 0.5, width: 0.5, value: 3 }])
  expect(bars([1, 1], 100, 5, { from: 0, to: 50 }, 10)).toEqual([])
})

test('what is looked at stays within the broadcast', () => {
  const whole = { from: 0, to: 600_000 }
  expect(within(whole, { from: -50_000, to: 50_000 })).toEqual({ from: 0, to: 100_000 })
  expect(within(whole, { from: 590_000, to: 590_010 })).toEqual({ from: 570_000, to: 600_000 })
  expect(within({ from: 0, to: 10_000 }, { from: 0, to: 99_999 })).toEqual({ from: 0, to: 10_000 })
  expect(zoomed(whole, { from: 200_000, to: 400_000 }, 0.5)).toEqual({ from: 250_000, to: 350_000 })
  expect(zoomed(whole, { from: 0, to: 500_000 }, 9)).toEqual(whole)
})

test('times are round and few', () => {
  const found = timesIn({ from: 1_000, to: 601_000 }, 8)
  expect(found.length).toBeLessThanOrEqual(8)
  expect(found.every((at) => at % 60_000 === 0)).toBe(true)
})

test('a line is there once, in its latest revision, with what was found; what was not read is there by its finding', () => {
  const found = linesOf([event('e5', 5, '全网最底'), event('e5', 5, '全网最低', 1), event('e9', 9, '好')], [point(5), point(7), point(50)], { from: 0, to: 20 })
  expect(found.map((each) => [each.event, each.text, each.points.length])).toEqual([['e5', '全网最低', 1], ['e7', '全网最低', 1], ['e9', '好', 0]])
  expect(markingsOf(found[0]!)).toEqual([{ span: { start: 2, end: 4, term: '' }, level: 4 }])
})

test('marks of words that are no longer there are not shown', () => {
  const [line] = linesOf([event('e5', 5, '改口了', 2)], [point(5)], { from: 0, to: 20 })
  expect(markingsOf(line!)).toEqual([])
  expect(nearest([point(1), point(9)], 6)?.at).toBe(9)
})

test('what several rules found in one event is one find, the gravest first, its words once', () => {
  const longer = [{ start: 0, end: 4, text: '全网最低', term: '', event: null }] as unknown as Point['spans']
  const found = findsOf([point(9), point(5, { severity: 'low' }), point(5, { severity: 'critical', spans: longer })])
  expect(found.map((find) => [find.at, find.points.map((each) => each.severity)])).toEqual([[5, ['critical', 'low']], [9, ['high']]])
  expect(wordsOf(found[0]!.points)).toEqual(['全网最低'])
})

test('where a moment lies in the recording is told by the nearest line that knows', () => {
  const lines = linesOf([{ ...event('e1', 1_000, ''), offset_ms: 400 }, event('e2', 5_000, ''), { ...event('e3', 9_000, ''), offset_ms: 9_400 }], [], { from: 0, to: 10_000 })
  expect(offsetAt(lines, 2_000)).toBe(1_400)
  expect(offsetAt(lines, 8_000)).toBe(8_400)
  expect(offsetAt(lines.slice(1, 2), 8_000)).toBeNull()
})
