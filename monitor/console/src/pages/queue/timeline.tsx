import { useEffect, useRef } from 'react'

import type { Card, ContextLine } from '../../api/client'
import { useTexts, useWord } from '../../i18n'
import { roles } from '../../i18n/words'
import { useKeys } from '../../keys'
import { timeOfDay } from '../../parts/clock'
import { Marked } from '../../parts/marked'
import type { Known, RoomRecord } from './evidence'
import { levelOf } from './decide'
import { markingsOf } from './sentence'
import { TEXT } from './text'

const BEFORE_MS = 10_000

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
  if (!first) return null
  return (
    <section className="evidence" aria-label={t('evidence')}>
      <Player key={first.id} card={card} media={Boolean(room?.media)} />
      <h2 className="meta">{t('timeline')}</h2>
      {lines.length === 0 && !known.loading && <p className="small empty">{t('noContext')}</p>}
      <ol ref={box} className="lines">
        {lines.map((line) => (
          <Line key={`${line.event_id}/${line.revision}`} line={line} own={own.has(line.event_id)} card={card} />
        ))}
      </ol>
    </section>
  )
}

function Line({ line, own, card }: { line: ContextLine; own: boolean; card: Card }) {
  const t = useTexts(TEXT)
  const role = useWord(roles)
  const same = own && line.text === card.alerts[0]?.text
  return (
    <li className={`line${own ? ` own sev-line-${levelOf(card.alerts)}` : ''}${line.lane === 0 ? ' spoken' : ''}`} {...(own ? { 'aria-current': true as const } : {})}>
      <span className="meta">{timeOfDay(line.at)}</span>
      <span className="meta role">{role((line.role || 'unknown'))}</span>
      <span className="line-text"><Marked text={line.text} markings={same ? markingsOf(card.alerts) : []} />
        {line.revision !== 0 && <> <span className="chip">{t(line.revision < 0 ? 'interim' : 'revised')}</span></>}</span>
    </li>
  )
}

/** Plays from ten seconds before; nothing plays by itself. */
function Player({ card, media }: { card: Card; media: boolean }) {
  const t = useTexts(TEXT)
  const player = useRef<HTMLVideoElement>(null)
  const first = card.alerts[0]!
  const from = Math.max(0, (first.offset_ms ?? 0) - BEFORE_MS)
  useKeys(media ? {
    play: () => void (player.current?.paused ? player.current.play().catch(() => {}) : player.current?.pause()),
    rewind: () => void (player.current && (player.current.currentTime -= 5)),
    forward: () => void (player.current && (player.current.currentTime += 5)),
  } : {}, ['queue'])
  if (!media) return <p className="no-media small">{t('noMedia', { t: timeOfDay(first.at) })}</p>
  const query = new URLSearchParams({ broadcast: first.broadcast, offset_ms: String(from) })
  return (
    <figure className="player">
      {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- the transcript below is its caption */}
      <video ref={player} controls preload="none" src={`/api/v1/rooms/${encodeURIComponent(card.room)}/media?${query}`} />
      <figcaption className="meta"><kbd>␣</kbd> {t('play')} · {t('mediaFrom')}</figcaption>
    </figure>
  )
}
