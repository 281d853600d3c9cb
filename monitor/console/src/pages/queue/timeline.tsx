import { useEffect, useRef, useState } from 'react'

import type { Card, ContextLine } from '../../api/client'
import { type RoomRecord } from '../../api/records'
import { useTexts, useWord } from '../../i18n'
import { roles } from '../../i18n/words'
import { timeOfDay } from '../../parts/clock'
import { Marked } from '../../parts/marked'
import { Player } from '../../parts/player'
import type { Known } from './evidence'
import { levelOf } from './decide'
import { markingsOf } from './sentence'
import { TEXT } from './text'

/** The minute around it: what was said and written, and how it sounded. */
export function Timeline({ card, known, room }: { card: Card; known: Known; room: RoomRecord | undefined }) {
  const t = useTexts(TEXT)
  const first = card.alerts[0]
  const own = new Set(first?.event_ids)
  const lines = known.all[0]?.context ?? []
  const box = useRef<HTMLOListElement>(null)
  const at = lines.findLastIndex((line) => own.has(line.event_id))
  useEffect(() => {
    box.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'center' })
  }, [first?.id, at])
  const [heard, setHeard] = useState(-1)
  const onHeard = (now: number | null) => setHeard(now === null ? -1 : lines.findLastIndex((line) => line.lane === 0 && line.at <= now))
  if (!first) return null
  return (
    <section className="evidence" aria-label={t('evidence')}>
      {room?.media
        ? <Player key={first.id} scope="queue" onHeard={onHeard} moment={{ room: card.room, broadcast: first.broadcast, address: room.media, offset: first.offset_ms, at: first.at }} />
        : <p className="no-media small">{t('noMedia', { t: timeOfDay(first.at) })}</p>}
      <h2 className="meta">{t('timeline')}</h2>
      {lines.length === 0 && !known.loading && <p className="small empty">{t('noContext')}</p>}
      <ol ref={box} className="lines">
        {lines.map((line, i) => (
          <Line key={`${line.event_id}/${line.revision}`} line={line} own={own.has(line.event_id)} heard={i === heard} card={card} />
        ))}
      </ol>
    </section>
  )
}

function Line({ line, own, heard, card }: { line: ContextLine; own: boolean; heard: boolean; card: Card }) {
  const t = useTexts(TEXT)
  const role = useWord(roles)
  const same = own && line.text === card.alerts[0]?.text
  return (
    <li className={`line${own ? ` own sev-line-${levelOf(card.alerts)}` : ''}${line.lane === 0 ? ' spoken' : ''}${heard ? ' heard' : ''}`} {...(own ? { 'aria-current': true as const } : {})}>
      <span className="meta">{heard ? '▶ ' : ''}{timeOfDay(line.at)}</span>
      <span className="meta role">{role((line.role || 'unknown'))}</span>
      <span className="line-text"><span lang="zh-CN"><Marked text={line.text} markings={same ? markingsOf(card.alerts) : []} /></span>
        {line.revision !== 0 && <> <span className="chip">{t(line.revision < 0 ? 'interim' : 'revised')}</span></>}</span>
    </li>
  )
}
