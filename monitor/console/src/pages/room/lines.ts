/** What was said and written in a part of a broadcast, with what was found in it. */
import type { Schemas } from '../../api/client'
import { LEVEL_OF } from '../../i18n/words'
import type { Marking } from '../../parts/marked'
import { nearest, type Point, type Range } from './model'

export interface Line {
  key: string
  source: string
  event: string
  at: number
  /** ms since the broadcast began; null: not told. */
  offset: number | null
  kind: string
  role: string
  text: string
  points: Point[]
}

export const keyOf = ({ source, event }: { source: string; event: string }) => `${source}/${event}`

/** What was found in one event, by whichever rules. */
export interface Find {
  key: string
  at: number
  /** The gravest first. */
  points: Point[]
}

export function findsOf(points: readonly Point[]): Find[] {
  const found = new Map<string, Find>()
  for (const point of points) {
    const key = keyOf(point)
    const known = found.get(key)
    if (known) known.points.push(point)
    else found.set(key, { key, at: point.at, points: [point] })
  }
  for (const { points: own } of found.values()) own.sort((a, b) => LEVEL_OF[b.severity] - LEVEL_OF[a.severity])
  return [...found.values()].sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1))
}

/** The words of some spans, each once, without those that stand in longer ones. */
export function wordsOf(points: readonly Point[]): string[] {
  const all = [...new Set(points.flatMap((point) => point.spans.map((span) => span.text)).filter(Boolean))]
  return all.filter((words) => !all.some((other) => other !== words && other.includes(words)))
}

/** Each event once, in its latest revision, by time. What was found stands there even where so much was written that its
 * own line was not read. */
export function linesOf(events: readonly Schemas['KeptEvent'][], points: readonly Point[], range: Range): Line[] {
  const found = new Map<string, Line & { revision: number }>()
  for (const event of events) {
    const key = keyOf({ source: event.source, event: event.id })
    const { source, id, at, offset_ms: offset, kind, role, text, revision } = event
    if ((found.get(key)?.revision ?? -1) < revision) found.set(key, { key, source, event: id, at, offset, kind, role, text, revision, points: [] })
  }
  for (const point of points) {
    if (point.at < range.from || point.at >= range.to) continue
    const key = keyOf(point)
    const line = found.get(key) ?? { key, source: point.source, event: point.event, at: point.at, offset: null, kind: point.lane === 0 ? 'transcript' : 'comment', role: '', text: point.text, revision: -1, points: [] }
    line.points.push(point)
    found.set(key, line)
  }
  return [...found.values()].sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1))
}

/** How far into the broadcast a moment lies (ms), by the line nearest to it that tells; null: none does. */
export function offsetAt(lines: readonly Line[], at: number): number | null {
  const line = nearest(lines.filter(({ offset }) => offset !== null), at)
  return line ? line.offset! + at - line.at : null
}

export const levelOf = (points: readonly Point[]): number => Math.max(0, ...points.map((point) => LEVEL_OF[point.severity]))

export function markingsOf(line: Line): Marking[] {
  return line.points.filter((point) => point.text === line.text).flatMap((point) =>
    point.spans.filter((span) => !span.event || span.event === line.event)
      .map((span) => ({ span: { start: span.start, end: span.end, term: span.term ?? '' }, level: LEVEL_OF[point.severity] })))
}

export interface Picked {
  line: Line
  /** Code points of its text, half open. */
  start: number
  end: number
  words: string
}

/** How many code points of the line's text lie before a place in it; what is meant stands beside it and is no part. */
function before(box: Node, node: Node, offset: number): number {
  const range = document.createRange()
  range.setStart(box, 0)
  range.setEnd(node, offset)
  const copy = range.cloneContents()
  for (const meant of copy.querySelectorAll('.meant')) meant.remove()
  return Array.from(copy.textContent ?? '').length
}

/** The words that are selected, as far as they stand in the line where the selection begins. */
export function pickedIn(selection: Selection | null, lines: readonly Line[]): Picked | null {
  if (!selection || selection.isCollapsed || !selection.rangeCount) return null
  const range = selection.getRangeAt(0)
  const own = range.startContainer
  const box = (own instanceof Element ? own : own.parentElement)?.closest<HTMLElement>('[data-line]')
  const line = box && lines.find((each) => each.key === box.dataset.line)
  if (!line) return null
  const start = before(box, range.startContainer, range.startOffset)
  const points = Array.from(line.text)
  const end = box.contains(range.endContainer) ? before(box, range.endContainer, range.endOffset) : points.length
  return end > start ? { line, start, end, words: points.slice(start, end).join('') } : null
}
