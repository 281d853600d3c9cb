import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useMemo } from 'react'
import { Link, useNavigate } from 'react-router'

import { api, get, type Schemas } from '../../api/client'
import { useRecords, useRooms } from '../../api/records'
import { useTexts, useWord } from '../../i18n'
import { platforms } from '../../i18n/words'
import { useKeys } from '../../keys'
import { span, timeOfDay, useSecond } from '../../parts/clock'
import { Preferences } from './preferences'
import './shift.css'
import { TEXT } from './text'
import { COUNTED, ending, ranked, rough, type PlanLine } from './tonight'

const SHOWN = 200
const LOOK_MS = 15_000

export default function Shift() {
  const t = useTexts(TEXT)
  const navigate = useNavigate()
  const start = () => void navigate('/queue')
  useKeys({ start }, ['shift'])
  return (
    <main className="shift" aria-label={t('title')}>
      <div className="shift-main"><Waiting /><Tonight /></div>
      <aside className="shift-side" aria-label={t('duty')}><Duty /></aside>
      <footer className="shift-foot">
        <Preferences />
        <Button size="large" onClick={start}><kbd>⏎</kbd> {t('start')}</Button>
      </footer>
    </main>
  )
}

/** What is to be decided, over all posts. */
function Waiting() {
  const t = useTexts(TEXT)
  const second = useSecond()
  const { data } = useQuery({
    queryKey: ['backlog'], refetchInterval: LOOK_MS,
    queryFn: ({ signal }) => get(api.GET('/api/v1/figures', { params: { query: { since: String(Date.now() - 60_000) } }, signal })),
  })
  const backlog = data?.backlog ?? []
  const open = backlog.reduce((sum, each) => sum + each.alerts, 0)
  const critical = backlog.find((each) => each.severity === 'critical')?.alerts ?? 0
  const oldest = Math.min(...backlog.filter((each) => each.alerts).map((each) => each.oldest_at))
  return (
    <p className="waiting" role="status">
      {data && (open === 0 ? <span className="number">{t('nothing')}</span> : (
        <>
          <Link to="/queue" className="number">{t('open', { n: open })}</Link>
          {critical > 0 && <Link to="/queue?severity=critical" className="chip sev sev-5">5 {t('critical', { n: critical })}</Link>}
          <span>{t('oldest', { t: span(second - Math.floor(oldest / 1000)) })}</span>
        </>
      ))}
    </p>
  )
}

function Tonight() {
  const t = useTexts(TEXT)
  const asked = useQuery({
    queryKey: ['plan'], refetchInterval: LOOK_MS,
    queryFn: ({ signal }) => get(api.GET('/api/v1/plan', { params: { query: { limit: 1000 } }, signal })),
  })
  const rooms = useRooms()
  const hosts = useHosts()
  const lines = useMemo(() => ranked(asked.data?.lines ?? []), [asked.data])
  if (asked.error && !asked.data) return <p className="empty" role="alert">{t('failed', { why: asked.error.message })} <Button size="small" onClick={() => void asked.refetch()}>{t('again')}</Button></p>
  if (!asked.data) return <p className="empty late" role="status">{t('loading')}</p>
  const { counts } = asked.data
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0)
  return (
    <section className="tonight" aria-label={t('tonight', { n: all })}>
      <h1 className="title">
        {t('tonight', { n: all })}
        {(counts.silent ?? 0) > 0 && <span className="chip inverse">{t('silent')} {counts.silent}</span>}
        {COUNTED.map((state) => (counts[state] ? <span key={state} className="small">{t(state)} {counts[state]}</span> : null))}
      </h1>
      {lines.length === 0 && <p className="empty">{t('none')}</p>}
      <ul className="plan">
        {lines.slice(0, SHOWN).map((line) => (
          <Planned key={line.slot || line.broadcast} line={line} platform={rooms.get(line.room)?.platform ?? ''} host={hosts.get(line.host)} />
        ))}
      </ul>
      {all > SHOWN && <p className="meta more">{t('more', { n: all - SHOWN })}</p>}
    </section>
  )
}

interface HostRecord {
  name?: string
  papers?: Record<string, { ends?: number | string | null }>
}

function useHosts(): ReadonlyMap<string, HostRecord> {
  const records = useRecords('host')
  return useMemo(() => new Map(records?.map((each) => [each.id, each.record as HostRecord])), [records])
}

function Planned({ line, platform, host }: { line: PlanLine; platform: string; host: HostRecord | undefined }) {
  const t = useTexts(TEXT)
  const second = useSecond()
  const name = useWord(platforms)
  const paper = ending(host?.papers, second * 1000)
  return (
    <li className={`planned ${line.state}`}>
      <span className="when">{timeOfDay(line.starts, false)}</span>
      <span className={`chip${line.state === 'silent' ? ' inverse' : ''}`}>{t(line.state)}</span>
      <span className="since">{since(line, second, t)}</span>
      <Link className="one-line" to={`/rooms/${encodeURIComponent(line.room)}`}>{line.title || line.room}</Link>
      <span className="meta one-line">{[name(platform), host?.name ?? line.host].filter(Boolean).join(' · ')}{!line.known && <span className="chip">{t('unknown')}</span>}</span>
      <span className="meta one-line">
        {paper ? t(paper.days < 0 ? 'paperOver' : 'paper', { what: paper.paper, d: paper.days }) : line.note}
      </span>
    </li>
  )
}

function since(line: PlanLine, second: number, t: (key: 'silentFor' | 'dueFor' | 'startsIn' | 'onAirFor', values: { t: string }) => string): string {
  const after = second - Math.floor(line.starts / 1000)
  if (line.state === 'silent') return t('silentFor', { t: span(after) })
  if (line.state === 'due') return t('dueFor', { t: span(after) })
  if (line.state === 'to_come') return t('startsIn', { t: rough(-after) })
  return line.state === 'ended' ? '' : t('onAirFor', { t: rough(after) })
}

function Duty() {
  const t = useTexts(TEXT)
  const { data } = useQuery({
    queryKey: ['duty'], refetchInterval: 60_000,
    queryFn: ({ signal }) => get(api.GET('/api/v1/duty', { signal })),
  })
  if (!data) return null
  const notes = data.posts.filter((post) => post.handover)
  return (
    <>
      <h2 className="title">{t('notes')}</h2>
      {notes.length === 0 && <p className="small quiet">{t('noNotes')}</p>}
      {notes.map((post) => (
        <article key={post.post} className="note">
          <p className="note-text">{post.handover!.note}</p>
          <p className="meta">{post.title || post.post} · {t('by', { who: post.handover!.people.join('、'), t: timeOfDay(post.handover!.ended, false) })}</p>
        </article>
      ))}
      <h2 className="title">{t('duty')}</h2>
      <ul className="duties">{data.posts.map((post) => <OnPost key={post.post} post={post} />)}</ul>
    </>
  )
}

function OnPost({ post }: { post: Schemas['OnPost'] }) {
  const t = useTexts(TEXT)
  return (
    <li className="small">
      <span>{post.title || post.post}</span>
      <span>
        {post.people.length ? post.people.join('、') : t('nobody')}
        {post.until !== null && ` ${t('until', { t: timeOfDay(post.until, false) })}`}
        {post.next_starts !== null && <span className="meta"> {t('next', { who: post.next_people.join('、') || t('nobody'), t: timeOfDay(post.next_starts, false) })}</span>}
      </span>
    </li>
  )
}
