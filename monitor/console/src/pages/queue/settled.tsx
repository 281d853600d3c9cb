import { Button, Input } from 'antd'
import { useState, type ReactNode } from 'react'

import type { Card } from '../../api/client'
import { useSession } from '../../api/session'
import { texts, useLanguage, useTexts, useWord } from '../../i18n'
import { outcomes, remedies, states } from '../../i18n/words'
import { useKeys } from '../../keys'
import { labels } from '../../keys/registry'
import { isLive } from '../../live/board'
import { timeOfDay } from '../../parts/clock'
import { reasonIn, type Reason, type Remedy } from './decide'
import { useHistory } from './evidence'

const TEXT = texts(
  {
    decisions: '研判', ruled: '{who} {t} 判为“{what}”', you: '你', done: '{who} {t} 记录处置：{what}', withdrawn: '已撤回，不用再判', over: '现在是“{what}”，不用再判',
    rectify: '怎么处置的', note: '备注，可不填', back: '返回',
  },
  {
    decisions: 'Decisions', ruled: '{who} ruled "{what}" at {t}', you: 'You', done: '{who} recorded at {t}: {what}', withdrawn: 'Withdrawn; nothing is left to decide', over: 'It is "{what}" now; nothing is left to decide',
    rectify: 'What was done', note: 'Note, if any', back: 'Back',
  },
)

const REMEDIES = Object.keys(remedies.zh) as Remedy[]

/** Is there nothing left to decide on the card? */
export const isSettled = (card: Card): boolean =>
  !card.storm && !card.alerts.some((alert) => isLive(alert) || alert.state === 'held')

/** The bar of such a card: what was decided, by whom and why, and what was done about it. */
export function Settled({ card, reasons, told, onRectify }: {
  card: Card
  reasons: readonly Reason[]
  /** What became of one's own decision, where it was one's own. */
  told: ReactNode
  onRectify: (remedy: Remedy, note: string) => Promise<string>
}) {
  const t = useTexts(TEXT)
  const label = useTexts(labels)
  const [doing, setDoing] = useState(false)
  const violates = card.alerts.some((alert) => alert.state === 'violation' || alert.state === 'rectified')
  useKeys(violates ? { rectify: () => setDoing(true) } : {}, doing ? [] : ['queue'])
  if (doing && violates) return <Remedies onRectify={onRectify} onClose={() => setDoing(false)} />
  return (
    <footer className="decisions" aria-label={t('decisions')}>
      <div className="verdicts">
        <Outcome card={card} reasons={reasons} />
        {violates && <Button size="large" onClick={() => setDoing(true)}><kbd>D</kbd> {label('rectify')}</Button>}
      </div>
      <p className="small said-so" role="status">{card.alerts.some((alert) => alert.state === 'rectified') ? null : told}</p>
    </footer>
  )
}

function Outcome({ card, reasons }: { card: Card; reasons: readonly Reason[] }) {
  const t = useTexts(TEXT)
  const { language } = useLanguage()
  const { me } = useSession()
  const outcome = useWord(outcomes)
  const state = useWord(states)
  const remedy = useWord(remedies)
  const first = card.alerts.find((alert) => alert.outcome) ?? card.alerts[0]
  const review = useHistory(first?.id, first?.version)?.case.kept.review
  const who = (by: string) => (by === me.id ? t('you') : by)
  if (!first) return null
  if (!review?.ruling) return <p className="settled">{first.state === 'withdrawn' ? t('withdrawn') : t('over', { what: state(first.state) })}</p>
  const { by, at, outcome: what, reason, note } = review.ruling
  const title = reasonIn(language, reasons.find((each) => each.id === reason) ?? { id: reason, title: reason })
  const done = review.rectified.at(-1)
  return (
    <div className="settled">
      <p><strong>{t('ruled', { who: who(by), t: timeOfDay(at), what: outcome(what) })}</strong> <span className="small">{[title, note].filter(Boolean).join(' · ')}</span></p>
      {done && <p className="small">{t('done', { who: who(done.by), t: timeOfDay(done.at), what: remedy(done.remedy) })}{done.note && ` · ${done.note}`}</p>}
    </div>
  )
}

function Remedies({ onRectify, onClose }: { onRectify: (remedy: Remedy, note: string) => Promise<string>; onClose: () => void }) {
  const t = useTexts(TEXT)
  const remedy = useWord(remedies)
  const [note, setNote] = useState('')
  const [wrong, setWrong] = useState('')
  const record = async (which: Remedy) => {
    const why = await onRectify(which, note.trim())
    if (why) setWrong(why)
    else onClose()
  }
  useKeys({ back: onClose, reason: (key) => void record(REMEDIES[Number(key) - 1]!) }, ['reasons', 'any'])
  return (
    <footer className="decisions remedies" aria-label={t('decisions')}>
      <div className="verdicts">
        <Button size="large" onClick={onClose}><kbd>Esc</kbd> {t('back')}</Button>
        {REMEDIES.map((which, i) => <Button key={which} size="large" onClick={() => void record(which)}><kbd>{i + 1}</kbd> {remedy(which)}</Button>)}
      </div>
      <div className="rests">
        <span className="small">{t('rectify')}</span>
        <span className="field wide"><Input size="small" maxLength={2000} aria-label={t('note')} placeholder={t('note')} value={note} onChange={(event) => setNote(event.target.value)} /></span>
        {wrong && <span className="small" role="alert">{wrong}</span>}
      </div>
    </footer>
  )
}
