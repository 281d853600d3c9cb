import { Button, Select } from 'antd'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { Link, useParams, useSearchParams } from 'react-router'

import { Refusal } from '../../api/client'
import { useRooms } from '../../api/records'
import { useSession } from '../../api/session'
import { useTexts, useWord } from '../../i18n'
import { platforms } from '../../i18n/words'
import { useKeys } from '../../keys'
import { dayOf, span, timeOfDay, useSecond } from '../../parts/clock'
import { Found, SearchField, type Wanted } from '../rooms/search'
import '../rooms/rooms.css'
import { MOST_LINES, useLines, useTimeline } from './data'
import { Lanes, Overview } from './lanes'
import { findsOf, keyOf, linesOf, pickedIn, type Find, type Picked } from './lines'
import { Lines } from './list'
import { Listen } from './listen'
import { MissBar } from './miss'
import { around, FIRST_MS, within, zoomed, type Range, type Timeline } from './model'
import { Points } from './points'
import './room.css'
import { TEXT } from './text'

export default function RoomPage() {
  const { id = '' } = useParams()
  const [params, setParams] = useSearchParams()
  const broadcast = params.get('broadcast')
  const t = useTexts(TEXT)
  const asked = useTimeline(id, broadcast)
  if (asked.data) return <Room key={`${id}/${asked.data.broadcast.id}`} timeline={asked.data} at={Number(params.get('at')) || null} onBroadcast={(name) => setParams({ broadcast: name })} />
  if (!asked.error) return <p className="whole late" role="status">{t('loading')}</p>
  const missing = asked.error instanceof Refusal && asked.error.status === 404
  return (
    <div className="whole" role="alert">
      <p>{missing ? t('missing') : t('failed', { why: asked.error.message })}</p>
      {missing ? <Link to="/rooms">{t('toWall')}</Link> : <Button onClick={() => void asked.refetch()}>{t('again')}</Button>}
    </div>
  )
}

/** The part that is looked at; `null`: the latest minutes, and on with them. */
function useLooking(timeline: Timeline, at: number | null) {
  const whole = useMemo<Range>(() => ({ from: timeline.since, to: Math.max(timeline.until, timeline.since + 60_000) }), [timeline.since, timeline.until])
  const [length, setLength] = useState(FIRST_MS)
  const [chosen, setChosen] = useState<Range | null>(() => (at === null ? null : within(whole, around(at, FIRST_MS / 2))))
  const range = useMemo(() => chosen ?? within(whole, { from: whole.to - length, to: whole.to }), [chosen, whole, length])
  const show = useCallback((moment: number) => setChosen((now) => {
    const shown = now ?? range
    return moment >= shown.from && moment < shown.to && now ? now : within(whole, around(moment, shown.to - shown.from))
  }), [whole, range])
  const zoom = (factor: number) => {
    const next = zoomed(whole, range, factor)
    if (chosen) setChosen(next)
    else setLength(next.to - next.from)
  }
  const shift = (by: number) => {
    const step = (range.to - range.from) * by
    setChosen(within(whole, { from: range.from + step, to: range.to + step }))
  }
  return { whole, range, chosen, setChosen, show, zoom, shift, follow: () => setChosen(null) }
}

function Room({ timeline, at, onBroadcast }: { timeline: Timeline; at: number | null; onBroadcast: (name: string) => void }) {
  const t = useTexts(TEXT)
  const { may } = useSession()
  const { room } = timeline.broadcast
  const { points } = timeline
  const looking = useLooking(timeline, at)
  const { whole, range } = looking
  const [cursor, setCursor] = useState<{ at: number; line: string | null } | null>(at === null ? null : { at, line: null })
  const [onlyHost, setOnlyHost] = useState(false)
  const [wanted, setWanted] = useState<Wanted | null>(null)
  const [picked, setPicked] = useState<Picked | null>(null)
  const [told, setTold] = useState('')
  const [heard, setHeard] = useState<number | null>(null)
  const media = useRooms().get(room)?.media
  const running = timeline.broadcast.ended_at === null
  const asked = useLines(room, range, cursor?.at ?? null, running)
  const lines = useMemo(() => linesOf(asked.data?.events ?? [], points, range).filter((line) => line.kind !== 'signal' && (!onlyHost || line.kind !== 'comment')), [asked.data, points, range, onlyHost])

  const finds = useMemo(() => findsOf(points), [points])
  const pick = useCallback((find: Pick<Find, 'at' | 'key'>) => {
    setWanted(null)
    setCursor({ at: find.at, line: find.key })
    looking.show(find.at)
  }, [looking])
  const toTime = useCallback((moment: number) => {
    setWanted(null)
    setCursor({ at: moment, line: null })
    looking.show(moment)
  }, [looking])
  const step = (by: 1 | -1) => {
    const known = finds.findIndex((find) => find.key === cursor?.line)
    const from = cursor?.at ?? (by > 0 ? -Infinity : Infinity)
    const next = known >= 0 ? finds[known + by] : by > 0 ? finds.find((find) => find.at > from) : finds.findLast((find) => find.at < from)
    if (next) pick(next)
  }
  const nearestLine = cursor && (cursor.line ?? lines.findLast((line) => line.at <= cursor.at)?.key ?? lines[0]?.key ?? null)
  const miss = () => {
    const found = pickedIn(globalThis.getSelection(), lines)
    const line = lines.find((each) => each.key === nearestLine)
    setTold(found || line ? '' : t('missNone'))
    setPicked(found ?? (line ? { line, start: 0, end: Array.from(line.text).length, words: line.text } : null))
  }
  useKeys({
    next: () => step(1), previous: () => step(-1), later: () => step(1), earlier: () => step(-1), first: () => finds[0] && pick(finds[0]), last: () => finds.length > 0 && pick(finds.at(-1)!),
    rewind: () => looking.shift(-0.25), forward: () => looking.shift(0.25), closer: () => looking.zoom(0.5), wider: () => looking.zoom(2),
    miss: () => (may('review') ? miss() : false),
  }, ['queue', 'room'])
  useEffect(() => {
    if (told) {
      const timer = setTimeout(() => setTold(''), 10_000)
      return () => clearTimeout(timer)
    }
    return undefined
  }, [told])

  return (
    <main className="room">
      <Head timeline={timeline} onBroadcast={onBroadcast} />
      <section className="lanes" aria-label={t('overview')}>
        <Overview timeline={timeline} whole={whole} range={range} onRange={looking.setChosen} />
        <Lanes timeline={timeline} range={range} cursor={cursor?.at ?? null} onPick={(point) => pick({ at: point.at, key: keyOf(point) })} onTime={toTime} />
      </section>
      <section className="said-lines" aria-label={t('lines')}>
        <div className="lines-head">
          <span className="small">{timeOfDay(range.from)} – {timeOfDay(range.to)}</span>
          <Button size="small" onClick={() => looking.zoom(0.5)}><kbd>+</kbd> {t('closer')}</Button>
          <Button size="small" onClick={() => looking.zoom(2)}><kbd>-</kbd> {t('wider')}</Button>
          {running && <Button size="small" aria-pressed={!looking.chosen} onClick={() => {
            setCursor(null)
            looking.follow()
          }}>{t('follow')}</Button>}
          <Button size="small" aria-pressed={onlyHost} onClick={() => setOnlyHost(!onlyHost)}>{t('onlyHost')}</Button>
          <SearchField within onSearch={setWanted} />
        </div>
        {media && cursor && <Listen key={cursor.at} room={room} broadcast={timeline.broadcast.id} address={media} at={cursor.at} lines={lines} onHeard={setHeard} />}
        {wanted
          ? <Found wanted={{ ...wanted, since: timeline.since }} room={room} until={whole.to} onPick={(event) => toTime(event.at)} />
          : (
            <>
              {asked.data?.cut && <p className="meta lines-note">{t('more', { n: MOST_LINES })}</p>}
              {asked.error && <p className="small lines-note" role="alert">{t('linesFailed', { why: asked.error.message })}</p>}
              {lines.length === 0 && !asked.error && <p className="empty small">{asked.isPending ? t('reading') : t('noLines')}</p>}
              <Lines lines={lines} current={nearestLine} heard={heard === null ? null : lines.findLast((line) => line.kind === 'transcript' && line.at <= heard)?.key ?? null} follow={!looking.chosen && !cursor} onPick={(line) => setCursor({ at: line.at, line: line.key })} />
            </>
          )}
        {may('review') && (picked
          ? <MissBar key={`${picked.line.key}/${picked.start}/${picked.end}`} room={room} picked={picked} onClose={() => setPicked(null)} onDone={(words) => {
            setPicked(null)
            setTold(words)
          }} />
          : <p className="meta miss-hint" role="status">{told ? <>{told} <Link to={`/queue?room=${encodeURIComponent(room)}`}>{t('queue')}</Link></> : <><kbd>P</kbd> {t('missHint')}</>}</p>)}
      </section>
      <Points timeline={timeline} current={cursor?.line ?? null} onPick={pick} onTime={toTime} />
    </main>
  )
}

function Head({ timeline, onBroadcast }: { timeline: Timeline; onBroadcast: (name: string) => void }) {
  const t = useTexts(TEXT)
  const platform = useWord(platforms)
  const record = useRooms().get(timeline.broadcast.room)
  const { broadcast, others, points } = timeline
  const alerts = new Map(points.map((point) => [point.alert, point.outcome]))
  const violations = [...alerts.values()].filter((outcome) => outcome === 'violation').length
  return (
    <header className="room-head">
      <h1 className="title one-line">{record?.title || broadcast.room}</h1>
      <span className="small one-line">{[record?.platform && platform(record.platform), record?.title && broadcast.room].filter(Boolean).join(' · ')}</span>
      <Standing timeline={timeline} />
      <span className="small">{t('findings', { n: findsOf(points).length })}{violations > 0 && ` · ${t('violations', { n: violations })}`}</span>
      <span className="room-head-right">
        {others.length > 1 && (
          <Select size="small" aria-label={t('broadcast')} value={broadcast.id} onChange={onBroadcast} popupMatchSelectWidth={false}
            options={others.map((each) => ({ value: each.id, label: `${dayOf(each.started_at)} ${timeOfDay(each.started_at, false)}` }))} />
        )}
        <Link to={`/queue?room=${encodeURIComponent(broadcast.room)}`}>{t('queue')}</Link>
      </span>
    </header>
  )
}

const QUIET_S = 180

function Standing({ timeline: { broadcast, mute } }: { timeline: Timeline }) {
  const t = useTexts(TEXT)
  const second = useSecond()
  if (broadcast.ended_at !== null) return <span className="chip">{t('ended', { t: span((broadcast.ended_at - broadcast.started_at) / 1000) })}</span>
  const quiet = second - Math.floor(broadcast.last_at / 1000)
  if (quiet >= QUIET_S) return <span className="chip inverse">{t('silent', { t: span(quiet) })}</span>
  return mute
    ? <span className="chip inverse" title={t('muteWhy')}>{t('mute', { t: span(second - Math.floor(broadcast.heard_at / 1000)) })}</span>
    : <span className="chip">{t('live', { t: span(second - Math.floor(broadcast.started_at / 1000)) })}</span>
}
