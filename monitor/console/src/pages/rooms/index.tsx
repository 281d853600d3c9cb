import { useQuery } from '@tanstack/react-query'
import { Button, Input, Select } from 'antd'
import { memo, useMemo, useState } from 'react'
import { Link, useSearchParams } from 'react-router'

import { api, get, told } from '../../api/client'
import { useRecords } from '../../api/records'
import { useTexts, useWord } from '../../i18n'
import { platforms as platformWords, severities, SEVERITIES } from '../../i18n/words'
import { useKeys } from '../../keys'
import { span, useSecond } from '../../parts/clock'
import { Pulse } from './pulse'
import './rooms.css'
import { Found, SearchField, type Wanted } from './search'
import { TEXT } from './text'
import { askedOf, byRisk, inOrder, matching, paramsOf, total, type Asked, type OnAir } from './wall'

const LOOK_MS = 15_000

export default function Rooms() {
  const t = useTexts(TEXT)
  const [params, setParams] = useSearchParams()
  const asked = useMemo(() => askedOf(params), [params])
  const [wanted, setWanted] = useState<Wanted | null>(null)
  const wall = useWall()
  const units = useRecords('unit')
  const above = useMemo(() => new Map(units?.map((each) => [each.id, (each.record as { above?: string }).above ?? ''])), [units])
  const [order, setOrder] = useState<readonly string[] | null>(null)
  const rooms = useMemo(() => wall.data?.rooms ?? [], [wall.data])
  if (order === null && wall.data) setOrder(byRisk(rooms))
  const shown = useMemo(() => matching(inOrder(rooms, order ?? []), asked, above), [rooms, order, asked, above])
  const titles = useMemo(() => new Map(rooms.map((room) => [room.room, room.title || room.room])), [rooms])
  const put = (change: Partial<Asked>) => setParams(paramsOf({ ...asked, ...change }), { replace: true })
  useKeys({ takeIn: () => setOrder(byRisk(rooms)), next: () => step(1), previous: () => step(-1) }, ['queue'])
  return (
    <main className="wall" aria-label={t('title')}>
      <div className="wall-head">
        <h1 className="title">{t('onAir', { n: wall.data ? rooms.length : '…' })}</h1>
        <Count word="quiet" n={rooms.filter((room) => room.silent).length} />
        <Count word="mute" n={rooms.filter((room) => room.mute).length} />
        <Choices asked={asked} put={put} rooms={rooms} units={units ?? []} />
        <Button onClick={() => setOrder(byRisk(rooms))}><kbd>R</kbd> {t('byRisk')}</Button>
        <SearchField onSearch={setWanted} />
      </div>
      <Absent />
      {wanted
        ? <div className="wall-body"><Button onClick={() => setWanted(null)}><kbd>Esc</kbd> {t('back')}</Button><Found wanted={wanted} title={(room) => titles.get(room) ?? room} /></div>
        : <Wall rooms={shown} all={rooms.length} error={wall.error} loading={wall.isPending} again={() => void wall.refetch()} onClear={() => setParams({})} />}
    </main>
  )
}

const step = (by: number) => {
  const links = [...document.querySelectorAll<HTMLElement>('.room-card')]
  const at = links.indexOf(document.activeElement as HTMLElement)
  links[Math.min(links.length - 1, Math.max(0, at < 0 ? 0 : at + by))]?.focus()
}

/** Every room on air, page after page where there are more than one holds. */
function useWall() {
  return useQuery({
    queryKey: ['wall'], refetchInterval: LOOK_MS,
    queryFn: async ({ signal }) => {
      const rooms: OnAir[] = []
      let cursor: string | null | undefined
      let now = 0
      do {
        const page = await get(api.GET('/api/v1/rooms/live', { params: { query: cursor ? { cursor } : {} }, signal }))
        rooms.push(...page.rooms)
        ;({ next: cursor, now } = page)
      } while (cursor)
      return { rooms, now }
    },
  })
}

function Count({ word, n }: { word: 'quiet' | 'mute'; n: number }) {
  const t = useTexts(TEXT)
  return n > 0 ? <span className="chip inverse">{t(word, { n })}</span> : null
}

function Choices({ asked, put, rooms, units }: { asked: Asked; put: (change: Partial<Asked>) => void; rooms: readonly OnAir[]; units: readonly { id: string; record: unknown }[] }) {
  const t = useTexts(TEXT)
  const platform = useWord(platformWords)
  const platforms = useMemo(() => [...new Set(rooms.map((room) => room.platform).filter(Boolean))].sort(), [rooms])
  const choice = (name: 'unit' | 'platform' | 'only', title: string, options: { value: string; label: string }[]) => (
    <Select allowClear placeholder={title} aria-label={title} options={options} value={asked[name] || null} popupMatchSelectWidth={false}
      showSearch={{ optionFilterProp: 'label' }} onChange={(value: string | null) => put({ [name]: value ?? '' })} />
  )
  return (
    <span className="choices">
      <Input value={asked.name} placeholder={t('name')} aria-label={t('name')} allowClear onChange={(event) => put({ name: event.target.value })} />
      {choice('unit', t('unit'), units.map((each) => ({ value: each.id, label: (each.record as { title?: string }).title || each.id })))}
      {choice('platform', t('platform'), platforms.map((value) => ({ value, label: platform(value) })))}
      {choice('only', t('only'), [{ value: 'quiet', label: t('onlyQuiet') }, { value: 'risk', label: t('onlyRisk') }])}
    </span>
  )
}

/** Planned rooms that should be on air and are not: the wall cannot show a card of them. */
function Absent() {
  const t = useTexts(TEXT)
  const second = useSecond()
  const { data } = useQuery({
    queryKey: ['plan', 'silent'], refetchInterval: LOOK_MS,
    queryFn: ({ signal }) => get(api.GET('/api/v1/plan', { params: { query: { state: 'silent', limit: 50 } }, signal })),
  })
  if (!data?.lines.length) return null
  return (
    <p className="absent small">
      <strong>{t('absent')} {data.counts.silent}</strong>
      {data.lines.map((line) => (
        <Link key={line.slot} className="chip inverse" to={`/rooms/${encodeURIComponent(line.room)}`}>
          {t('absentFor', { room: line.title || line.room, t: span(second - Math.floor(line.starts / 1000)) })}
        </Link>
      ))}
    </p>
  )
}

function Wall({ rooms, all, error, loading, again, onClear }: { rooms: readonly OnAir[]; all: number; error: Error | null; loading: boolean; again: () => void; onClear: () => void }) {
  const t = useTexts(TEXT)
  if (loading) return <p className="empty late" role="status">{t('loading')}</p>
  if (error && !all) return <p className="empty" role="alert">{t('failed', { why: told(error) })} <Button size="small" onClick={again}>{t('again')}</Button></p>
  if (!all) return <p className="empty">{t('none')}</p>
  if (!rooms.length) return <p className="empty">{t('noMatch')} <Button size="small" onClick={onClear}>{t('clear')}</Button></p>
  return <ul className="wall-body cards-of-rooms">{rooms.map((room) => <li key={room.room}><RoomCard room={room} /></li>)}</ul>
}

const RoomCard = memo(function RoomCard({ room }: { room: OnAir }) {
  const t = useTexts(TEXT)
  const severity = useTexts(severities)
  const platform = useWord(platformWords)
  const found = total(room)
  const worst = Math.max(0, ...room.worst)
  return (
    <Link className="room-card" to={`/rooms/${encodeURIComponent(room.room)}`}>
      <span className="room-name"><strong className="one-line">{room.title || room.room}</strong>{room.alerts_open > 0 && <span className="chip">{t('open', { n: room.alerts_open })}</span>}</span>
      <span className="meta one-line">{[platform(room.platform), room.title ? room.room : ''].filter(Boolean).join(' · ')} {!room.known && <span className="chip">{t('unknown')}</span>}</span>
      <Pulse findings={room.findings} worst={room.worst} />
      <span className="room-foot meta">
        <span className="one-line">{found ? t('findings', { n: found, level: severity(SEVERITIES[5 - worst] ?? 'info') }) : t('noFindings')}</span>
        <Since room={room} />
      </span>
    </Link>
  )
})

function Since({ room }: { room: OnAir }) {
  const t = useTexts(TEXT)
  const second = useSecond()
  if (room.silent) return <span className="chip inverse">{t('silentFor', { t: span(second - Math.floor(room.last_at / 1000)) })}</span>
  return room.mute
    ? <span className="chip inverse" title={t('muteWhy')}>{t('muteFor', { t: span(second - Math.floor(room.heard_at / 1000)) })}</span>
    : <span>{t('air', { t: span(second - Math.floor(room.started_at / 1000)) })}</span>
}
