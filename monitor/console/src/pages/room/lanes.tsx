import { useRef, useState, type PointerEvent } from 'react'

import { useTexts } from '../../i18n'
import { LEVEL_OF } from '../../i18n/words'
import { timeOfDay } from '../../parts/clock'
import { around, bars, countsOf, nearest, timesIn, within, type Point, type Range, type Timeline } from './model'
import { TEXT } from './text'

const WIDE = 1_000
const HIGH = 40
const MOST_BARS = 400

/** A row of time. What it shows stands in the table, too: it is hidden from readers. */
function Strip({ height, children, ...on }: { height: number; children: React.ReactNode } & React.SVGProps<SVGSVGElement>) {
  return <svg className="strip" viewBox={`0 0 ${WIDE} ${height}`} preserveAspectRatio="none" height={height} aria-hidden="true" {...on}>{children}</svg>
}

function Bars({ counts, timeline, range, height, className }: { counts: readonly number[]; timeline: Timeline; range: Range; height: number; className: string }) {
  const found = bars(counts, timeline.since, timeline.bucket_ms, range, MOST_BARS)
  const most = Math.max(1, ...found.map((bar) => bar.value))
  const path = found.map(({ x, width, value }) => {
    const high = Math.max(1, (value / most) * (height - 2))
    return `M${(x * WIDE).toFixed(2)} ${height}v${-high.toFixed(2)}h${(Math.max(0.6, width * WIDE - 0.4)).toFixed(2)}V${height}z`
  })
  return <path d={path.join('')} className={className} />
}

function Ticks({ at, range, top, bottom, color, wide = 2 }: { at: number; range: Range; top: number; bottom: number; color: string; wide?: number }) {
  const x = ((at - range.from) / (range.to - range.from)) * WIDE
  return x < 0 || x > WIDE ? null : <line x1={x} x2={x} y1={top} y2={bottom} style={{ stroke: color, strokeWidth: wide }} vectorEffect="non-scaling-stroke" />
}

const lineOf = (point: Point) => `var(--sev-${LEVEL_OF[point.severity]}-line)`

const timeAt = (event: PointerEvent<SVGSVGElement>, range: Range) => {
  const { left, width } = event.currentTarget.getBoundingClientRect()
  return range.from + Math.min(1, Math.max(0, (event.clientX - left) / width)) * (range.to - range.from)
}

/** All of it, with the part that is looked at. A click moves that part, a drag chooses another. */
export function Overview({ timeline, whole, range, onRange }: { timeline: Timeline; whole: Range; range: Range; onRange: (range: Range) => void }) {
  const t = useTexts(TEXT)
  const from = useRef<number | null>(null)
  const [dragged, setDragged] = useState<Range | null>(null)
  const shown = dragged ?? range
  const x = (at: number) => ((at - whole.from) / (whole.to - whole.from)) * WIDE
  const end = () => {
    from.current = null
    setDragged(null)
  }
  return (
    <div className="lane overview">
      <span className="meta" title={t('overviewHelp')}>{t('overview')}</span>
      <Strip height={56} className="strip all-of-it"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          from.current = timeAt(event, whole)
        }}
        onPointerMove={(event) => {
          if (from.current === null) return
          const at = timeAt(event, whole)
          setDragged({ from: Math.min(from.current, at), to: Math.max(from.current, at) })
        }}
        onPointerUp={(event) => {
          if (from.current === null) return
          const at = timeAt(event, whole)
          const small = Math.abs(at - from.current) < (whole.to - whole.from) / 200
          onRange(within(whole, small ? around(at, range.to - range.from) : { from: Math.min(from.current, at), to: Math.max(from.current, at) }))
          end()
        }}
        onPointerCancel={end}>
        <rect x={x(shown.from)} width={Math.max(1, x(shown.to) - x(shown.from))} y={0} height={56} className="window" />
        <Bars counts={countsOf(timeline, 'comment')} timeline={timeline} range={whole} height={56} className="bars" />
        {timeline.points.map((point) => <Ticks key={point.finding} at={point.at} range={whole} top={0} bottom={16} color={lineOf(point)} />)}
        <rect x={x(shown.from)} width={Math.max(1, x(shown.to) - x(shown.from))} y={0} height={56} className="window-edge" vectorEffect="non-scaling-stroke" />
      </Strip>
    </div>
  )
}

/** The part that is looked at, lane by lane. */
export function Lanes({ timeline, range, cursor, onPick, onTime }: {
  timeline: Timeline
  range: Range
  cursor: number | null
  onPick: (point: Point) => void
  onTime: (at: number) => void
}) {
  const t = useTexts(TEXT)
  const comments = countsOf(timeline, 'comment')
  const most = Math.max(0, ...bars(comments, timeline.since, timeline.bucket_ms, range, MOST_BARS).map((bar) => bar.value)) / (timeline.bucket_ms / 1000)
  const inside = timeline.points.filter((point) => point.at >= range.from && point.at < range.to)
  const playhead = cursor === null ? null : <Ticks at={cursor} range={range} top={0} bottom={HIGH} color="var(--ink)" wide={1} />
  const lane = (name: string, note: string, children: React.ReactNode, pick = onTime) => (
    <div className="lane">
      <span className="meta">{name}{note && <span> {note}</span>}</span>
      <Strip height={HIGH} onPointerDown={(event) => pick(timeAt(event, range))}>{children}{playhead}</Strip>
    </div>
  )
  return (
    <>
      {lane(t('laneComments'), most ? t('most', { n: most.toFixed(1) }) : '', (
        <>
          <Bars counts={comments} timeline={timeline} range={range} height={HIGH} className="bars" />
          <Spoken timeline={timeline} range={range} />
        </>
      ))}
      {lane(t('laneFindings'), inside.length ? String(inside.length) : '', inside.map((point) => (
        <Ticks key={point.finding} at={point.at} range={range} top={HIGH - 6 - LEVEL_OF[point.severity] * 6} bottom={HIGH - 2} color={lineOf(point)} wide={4} />
      )), (at) => {
        const point = nearest(inside, at)
        if (point) onPick(point)
      })}
      {lane(t('laneCues'), '', timeline.cues.map((cue) => (
        <g key={cue.id}>
          <Ticks at={cue.at} range={range} top={8} bottom={HIGH - 2} color="var(--ink)" wide={3} />
          {cue.corrected_at !== null && <Ticks at={cue.corrected_at} range={range} top={HIGH - 12} bottom={HIGH - 2} color="var(--text3)" wide={3} />}
        </g>
      )))}
      {lane(t('laneSignals'), '', timeline.signals.map((signal) => <Ticks key={`${signal.source}/${signal.id}`} at={signal.at} range={range} top={20} bottom={HIGH - 2} color="var(--text3)" wide={2} />))}
      <Times range={range} />
    </>
  )
}

/** Where somebody of the seller's side speaks: a line under the comments. */
function Spoken({ timeline, range }: { timeline: Timeline; range: Range }) {
  const found = bars(countsOf(timeline, 'transcript'), timeline.since, timeline.bucket_ms, range, MOST_BARS)
  return <path d={found.map(({ x, width }) => `M${(x * WIDE).toFixed(2)} 2h${(width * WIDE).toFixed(2)}`).join('')} className="spoken-line" vectorEffect="non-scaling-stroke" />
}

function Times({ range }: { range: Range }) {
  return (
    <div className="lane times" aria-hidden="true">
      <span />
      <span className="axis">
        {timesIn(range, 10).map((at) => <span key={at} className="meta" style={{ left: `${((at - range.from) / (range.to - range.from)) * 100}%` }}>{timeOfDay(at, range.to - range.from < 300_000)}</span>)}
      </span>
    </div>
  )
}
