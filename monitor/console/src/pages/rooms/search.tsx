/** What was said, by words, room and time. */
import { useQuery } from '@tanstack/react-query'
import { Button, Input } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { Link, useLocation } from 'react-router'

import { api, get, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n'
import { roles } from '../../i18n/words'
import { useKeys } from '../../keys'
import { dayOf, timeOfDay } from '../../parts/clock'
import { Marked } from '../../parts/marked'
import { TEXT } from './text'

const MOST = 200

export interface Wanted {
  text: string
  /** UTC ms. */
  since?: number
}

/** `/` goes to the field; Enter searches, not each letter: an input method may still compose. */
export function SearchField({ onSearch, within }: { onSearch: (wanted: Wanted | null) => void; within?: boolean }) {
  const t = useTexts(TEXT)
  const box = useRef<HTMLFormElement>(null)
  const [text, setText] = useState('')
  const [since, setSince] = useState('')
  const { state } = useLocation() as { state: { search?: boolean } | null }
  useEffect(() => {
    if (state?.search) box.current?.querySelector('input')?.focus() // `/` was pressed on another page
  }, [state])
  useKeys({
    search: () => box.current?.querySelector('input')?.focus(),
    back: () => {
      if (!box.current?.contains(document.activeElement) && !text) return false
      setText('')
      onSearch(null)
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
    },
  })
  const go = () => {
    const words = text.trim()
    onSearch(words ? { text: words, ...(since ? { since: new Date(since).getTime() } : {}) } : null)
  }
  return (
    <form ref={box} className="searching" role="search" onSubmit={(event) => {
      event.preventDefault()
      go()
    }}>
      <Input value={text} maxLength={256} prefix={<kbd>/</kbd>} placeholder={t('search')} aria-label={t('search')} onChange={(event) => setText(event.target.value)} />
      {!within && <label className="small">{t('searchIn')} <input type="datetime-local" className="time" value={since} onChange={(event) => setSince(event.target.value)} /></label>}
      <Button htmlType="submit">{t('go')}</Button>
    </form>
  )
}

export function useFound(wanted: Wanted | null, room?: string, until?: number) {
  return useQuery({
    queryKey: ['search', wanted, room, until],
    queryFn: ({ signal }) => get(api.GET('/api/v1/events', {
      params: { query: {
        text: wanted!.text, limit: MOST, ...(room ? { room } : {}), ...(wanted!.since ? { since: String(wanted!.since) } : {}), ...(until ? { until: String(until) } : {}),
      } }, signal,
    })),
    enabled: wanted !== null, staleTime: 10_000,
  })
}

export function Found({ wanted, room, until, title, onPick }: {
  wanted: Wanted
  room?: string
  until?: number
  title?: (room: string) => string
  onPick?: (event: Schemas['KeptEvent']) => void
}) {
  const t = useTexts(TEXT)
  const role = useTexts(roles)
  const asked = useFound(wanted, room, until)
  const box = useRef<HTMLElement>(null)
  useEffect(() => void box.current?.scrollTo(0, 0), [wanted])
  if (asked.error) return <p className="empty" role="alert">{t('failed', { why: asked.error.message })}</p>
  const events = asked.data?.events
  if (!events) return <p className="empty late" role="status">{t('searching')}</p>
  const marking = (text: string) => {
    const at = text.indexOf(wanted.text)
    const start = Array.from(text.slice(0, Math.max(0, at))).length
    return at < 0 ? [] : [{ span: { start, end: start + Array.from(wanted.text).length, term: '' }, level: 1 }]
  }
  return (
    <section ref={box} className="found" aria-label={t('search')}>
      <p className="small found-head" role="status">
        {events.length === 0 ? t('foundNone', { words: wanted.text }) : t(events.length < MOST ? 'found' : 'foundMost', { n: events.length })}
      </p>
      <ol>
        {events.map((event) => (
          <li key={`${event.source}/${event.id}/${event.revision}`} className="found-line">
            {onPick
              ? <button type="button" className="plain" onClick={() => onPick(event)}>{timeOfDay(event.at)}</button>
              : <Link to={`/rooms/${encodeURIComponent(event.room)}?broadcast=${encodeURIComponent(event.broadcast)}&at=${event.at}`}>{dayOf(event.at)} {timeOfDay(event.at)}</Link>}
            {title && <span className="one-line small">{title(event.room)}</span>}
            <span className="meta">{role((event.role || 'unknown') as never)}</span>
            <span lang="zh-CN"><Marked text={event.text} markings={marking(event.text)} /></span>
          </li>
        ))}
      </ol>
    </section>
  )
}
