/** A broadcast's time: what is known of it put together, the part that is looked at, and what lies where. */
import type { Schemas } from '../../api/client'

export type Timeline = Schemas['Timeline']
export type Point = Schemas['Point']
export type Series = Schemas['Series']

/** UTC ms, half open. */
export interface Range {
  from: number
  to: number
}

export const SHORTEST_MS = 30_000
export const FIRST_MS = 600_000

/** `tail` was asked for with `since`; `null`: it does not continue what is known, so all of it has to be read again. */
export function merged(known: Timeline, tail: Timeline): Timeline | null {
  if (tail.broadcast.id !== known.broadcast.id || tail.bucket_ms !== known.bucket_ms) return null
  const kept = (tail.since - known.since) / known.bucket_ms
  const count = Math.round((tail.until - known.since) / known.bucket_ms)
  if (kept < 0 || !Number.isInteger(kept)) return null
  const before = <T extends { at: number }>(all: readonly T[]) => all.filter((each) => each.at < tail.since)
  return {
    ...tail, since: known.since, series: joined(known.series, tail.series, kept, count),
    points: [...before(known.points), ...tail.points], cues: [...before(known.cues), ...tail.cues],
    signals: [...before(known.signals), ...tail.signals], more: known.more || tail.more,
  }
}

function joined(known: readonly Series[], tail: readonly Series[], kept: number, count: number): Series[] {
  const name = (one: Series) => `${one.kind}/${one.lane}`
  const all = new Map([...known, ...tail].map((one) => [name(one), one]))
  return [...all.values()].map(({ kind, lane }) => {
    const of = (some: readonly Series[]) => some.find((one) => one.kind === kind && one.lane === lane)?.counts ?? []
    const first = of(known).slice(0, kept)
    const counts = [...first, ...Array.from({ length: kept - first.length }, () => 0), ...of(tail)]
    return { kind, lane, counts: [...counts, ...Array.from({ length: Math.max(0, count - counts.length) }, () => 0)] }
  })
}

/** All series of a kind together. */
export function countsOf(timeline: Timeline, kind: string): number[] {
  const found = timeline.series.filter((one) => one.kind === kind)
  const length = Math.max(0, ...found.map((one) => one.counts.length))
  return Array.from({ length }, (_, n) => found.reduce((sum, one) => sum + (one.counts[n] ?? 0), 0))
}

/** At most `most` bars of a range: the highest bucket of each, with where it begins and ends in the range (0…1). */
export function bars(counts: readonly number[], since: number, bucket: number, range: Range, most: number): { x: number; width: number; value: number }[] {
  const first = Math.max(0, Math.floor((range.from - since) / bucket))
  const last = Math.min(counts.length, Math.ceil((range.to - since) / bucket))
  const step = Math.max(1, Math.ceil((last - first) / most))
  const length = range.to - range.from
  const found = []
  for (let n = first; n < last; n += step) {
    const value = Math.max(...counts.slice(n, Math.min(n + step, last)))
    if (value) found.push({ x: (since + n * bucket - range.from) / length, width: (step * bucket) / length, value })
  }
  return found
}

/** Inside the whole, no shorter than `SHORTEST_MS` where the whole is longer. */
export function within(whole: Range, wanted: Range): Range {
  const all = whole.to - whole.from
  const length = Math.min(all, Math.max(SHORTEST_MS, wanted.to - wanted.from))
  const middle = (wanted.from + wanted.to) / 2
  const from = Math.round(Math.min(Math.max(whole.from, middle - length / 2), whole.to - length))
  return { from, to: from + length }
}

export const around = (at: number, length: number): Range => ({ from: at - length / 2, to: at + length / 2 })

/** Towards its middle, or away from it. */
export function zoomed(whole: Range, range: Range, factor: number): Range {
  return within(whole, around((range.from + range.to) / 2, (range.to - range.from) * factor))
}

/** The point that lies nearest. */
export function nearest<T extends { at: number }>(all: readonly T[], at: number): T | undefined {
  return all.reduce<T | undefined>((best, each) => (!best || Math.abs(each.at - at) < Math.abs(best.at - at) ? each : best), undefined)
}

const STEPS_S = [5, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 21_600]

/** Round times in a range, at most `most`. */
export function timesIn(range: Range, most: number): number[] {
  const step = 1_000 * (STEPS_S.find((each) => (range.to - range.from) / (each * 1_000) <= most) ?? 86_400)
  const offset = new Date(range.from).getTimezoneOffset() * 60_000
  const found = []
  for (let at = Math.ceil((range.from - offset) / step) * step + offset; at < range.to; at += step) found.push(at)
  return found
}
