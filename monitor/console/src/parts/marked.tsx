/** A text with its spans marked: severity by colour and line, an evasive spelling with what is meant beside it. */
import { Fragment } from 'react'

import type { Span } from '../api/client'

export interface Piece {
  text: string
  /** 0: plain. */
  level: number
  /** What is meant, where the words are spelled otherwise. */
  term: string
}

export interface Marking {
  span: Pick<Span, 'start' | 'end' | 'term'>
  level: number
}

/** Spans are code points, half open, and may overlap: of those at one place the gravest marks it. */
export function pieces(text: string, markings: readonly Marking[]): Piece[] {
  const points = Array.from(text)
  const edges = new Set([0, points.length])
  for (const { span } of markings) {
    edges.add(Math.min(span.start, points.length))
    edges.add(Math.min(span.end, points.length))
  }
  const cuts = [...edges].sort((a, b) => a - b)
  const found: Piece[] = []
  for (const [i, start] of cuts.slice(0, -1).entries()) {
    const end = cuts[i + 1]!
    const over = markings.filter(({ span }) => span.start <= start && span.end >= end)
    const level = Math.max(0, ...over.map((each) => each.level))
    const term = over.find(({ span }) => span.term && span.end === end)?.span.term ?? ''
    const last = found.at(-1)
    if (last && last.level === level && !last.term) {
      last.text += points.slice(start, end).join('')
      last.term = term
    } else found.push({ text: points.slice(start, end).join(''), level, term })
  }
  return found
}

const SHORT = 12

export function Marked({ text, markings }: { text: string; markings: readonly Marking[] }) {
  return pieces(text, markings).map((piece, i) => (
    // oxlint-disable-next-line react/no-array-index-key -- pieces have no other name
    <Fragment key={i}>
      {piece.level
        ? <mark className={`sev-${piece.level}${piece.text.length <= SHORT ? ' short' : ''}`}>{piece.text}</mark>
        : piece.text}
      {piece.term && <span className="meant"> = {piece.term}</span>}
    </Fragment>
  ))
}

/** About `length` code points around the first span, so that the card shows what it is about. */
export function around(text: string, markings: readonly Marking[], length = 40): { text: string; markings: Marking[] } {
  const points = Array.from(text)
  const first = Math.min(points.length, ...markings.map(({ span }) => span.start))
  const from = points.length <= length ? 0 : Math.max(0, Math.min(first - 6, points.length - length))
  if (!from) return { text, markings: [...markings] }
  const moved = markings.map(({ span, level }) =>
    ({ level, span: { ...span, start: Math.max(1, span.start - from + 1), end: Math.max(1, span.end - from + 1) } }))
  return { text: '…' + points.slice(from).join(''), markings: moved }
}
