import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useEffect, useRef } from 'react'

import type { Card } from '../../api/client'
import { useTexts, useWord } from '../../i18n'
import { categories, outcomes, severities, states } from '../../i18n/words'
import { isPending, keyOf, type Board } from '../../live/board'
import { useWho, type Looking } from '../../live/looking'
import { span, useSecond } from '../../parts/clock'
import { around, Marked } from '../../parts/marked'
import { caring, categoriesOf, levelOf } from './decide'
import { useCard, useStamp } from './desk'
import { useHistory } from './evidence'
import { markingsOf } from './sentence'
import { TEXT } from './text'

export const ROW = 76

export function CardList({ board, looking, order, cursor, ticked, onPick, me, rooms }: {
  board: Board
  looking: Looking
  order: readonly string[]
  cursor: string | null
  ticked: ReadonlySet<string>
  onPick: (key: string) => void
  me: string
  rooms: ReadonlyMap<string, string>
}) {
  const t = useTexts(TEXT)
  const box = useRef<HTMLDivElement>(null)
  const rows = useVirtualizer({
    count: order.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 6,
    getItemKey: (i) => order[i] ?? i, useFlushSync: false,
  })
  const at = cursor === null ? -1 : order.indexOf(cursor)
  useEffect(() => {
    if (at >= 0) rows.scrollToIndex(at, { align: 'auto' })
  }, [at, rows])
  const shown = rows.getVirtualItems()
  return (
    <div ref={box} className="cards" role="listbox" tabIndex={0} aria-label={t('list', { n: order.length })}
      aria-activedescendant={cursor ? `card-${cursor}` : undefined}>
      <div style={{ height: rows.getTotalSize() }} className="cards-inner" role="presentation">
        {shown.map((row) => {
          const key = order[row.index]
          return key === undefined ? null : (
            <Row key={row.key} board={board} looking={looking} name={key} top={row.start} n={row.index + 1} of={order.length} chosen={key === cursor}
              ticked={ticked.has(key)} onPick={onPick} me={me} rooms={rooms} />
          )
        })}
      </div>
    </div>
  )
}

const Row = memo(function Row({ board, looking, name, top, n, of, chosen, ticked, onPick, me, rooms }: {
  board: Board
  looking: Looking
  name: string
  top: number
  n: number
  of: number
  chosen: boolean
  ticked: boolean
  onPick: (key: string) => void
  me: string
  rooms: ReadonlyMap<string, string>
}) {
  const card = useCard(board, name)
  const stamp = useStamp(board, name)
  const who = useWho(looking, card?.moment ?? '')
  const t = useTexts(TEXT)
  const say = useWord(categories)
  const severity = useWord(severities)
  const state = useWord(states)
  const outcome = useWord(outcomes)
  if (!card?.alerts[0]) return null
  const first = card.alerts[0]
  const level = levelOf(card.alerts)
  const live = card.alerts.some(isPending)
  const gone = card.alerts.every((alert) => alert.state === 'withdrawn')
  const named = categoriesOf(card)
  const { text, markings } = around(first.text || first.title, first.text ? markingsOf([first]) : [])
  const done = stamp && stamp.state !== 'undone'
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the list has the keys
    <div id={`card-${name}`} role="option" aria-selected={chosen} aria-setsize={of} aria-posinset={n}
      className={`card${chosen ? ' chosen' : ''}${live && !done ? '' : ' over'}${gone ? ' gone' : ''}`} style={{ top }}
      onClick={() => onPick(keyOf(card))}>
      <span className="bar" style={{ background: `var(--sev-${level}-line)` }} />
      <div className="card-head">
        {ticked && <span className="chip inverse">✓</span>}
        <span className={`chip sev sev-${level}`}>{caring(card) ? '♥' : level} {severity(first.severity)}</span>
        <span className="one-line card-what">
          {named[0] ? say(named[0]) : first.title}
          {named.length > 1 && <span className="meta"> {t('more', { n: named.length - 1 })}</span>}
        </span>
        {done ? <Stamped stamp={stamp} /> : live ? <Clock card={card} /> : (
          <span className="chip">{first.outcome ? outcome(first.outcome) : state(first.state)}</span>
        )}
      </div>
      <p className="small one-line card-text" lang="zh-CN"><Marked text={text} markings={markings} /></p>
      <p className="meta card-foot">
        <span className="one-line">{card.storm ? t('storm', { n: card.storm.held }) : (rooms.get(card.room) ?? card.room)}</span>
        {who && <span className="one-line who">{t('looking', { who })}</span>}
        {card.unrouted && <span className="chip">{t('unrouted')}</span>}
        {!live && !done && <DecidedBy card={card} />}
        {first.claimed_by && first.state === 'claimed' && (
          <span className="one-line">{first.claimed_by === me ? t('claimedMine') : t('claimedBy', { who: first.claimed_by })}</span>
        )}
      </p>
    </div>
  )
})

/** Of what others decided; only cards in view ask. */
function DecidedBy({ card }: { card: Card }) {
  const t = useTexts(TEXT)
  const first = card.alerts.find((alert) => alert.outcome)
  const by = useHistory(first?.id, first?.version)?.case.kept.review.ruling?.by
  return by ? <span className="one-line who">{t('decidedBy', { who: by })}</span> : null
}

function Stamped({ stamp }: { stamp: { outcome: string; state: string } }) {
  const t = useTexts(TEXT)
  const outcome = useWord(outcomes)
  const what = stamp.outcome in outcomes.zh ? outcome(stamp.outcome) : t('record')
  if (stamp.state === 'recorded') return <span className="chip inverse">✓ {what}</span>
  if (stamp.state === 'sending') return <span className="chip">{t('sending')}</span>
  return <span className="chip inverse">! {what}</span>
}

/** Until the card must be claimed or decided; over: an inverse chip, no colour. */
export function Clock({ card }: { card: Card }) {
  const t = useTexts(TEXT)
  const second = useSecond()
  const due = Math.min(...card.alerts.map((alert) => alert.due ?? Infinity))
  if (due === Infinity) return <span className="meta">{span(second - Math.floor(card.at / 1000))}</span>
  const left = Math.floor(due / 1000) - second
  if (left < 0) return <span className="chip inverse">{t('overdue')} {span(-left)}</span>
  return <span className="small">{span(left)}</span>
}
