import { Button, Input, Select } from 'antd'
import { useEffect, useMemo, useRef, useState } from 'react'

import type { Card, Schemas } from '../../api/client'
import { useLanguage, useTexts, useWord } from '../../i18n'
import { outcomes } from '../../i18n/words'
import { useKeys } from '../../keys'
import { useFocusIn } from '../../keys/focus'
import { KEYS, labels, type Action } from '../../keys/registry'
import type { Stamp } from '../../live/board'
import { caring, clausesOf, reasonIn, reasonsFor, rewritesOf, shortClause, type Reason, type Remedy, type Ruling, type Verdict } from './decide'
import { isSettled, Settled } from './settled'
import { TEXT } from './text'

export const DEAF_MS = 250

/** Which verdict each key begins. */
const VERDICTS = {
  violation: 'violation', lawful: 'no_violation', exempt: 'exempt', unclear: 'unclear', escalate: 'escalate',
} as const satisfies Partial<Record<Action, Verdict>>
const CARE = { attended: 'attended', lawful: 'not_needed', escalate: 'escalate' } as const satisfies Partial<Record<Action, Verdict>>

type Writing = 'cue' | 'note'
const writes = (what: Verdict | Writing): what is Writing => what === 'cue' || what === 'note'

export interface BarProps {
  card: Card
  reasons: readonly Reason[]
  /** Clauses by which it may be exempt. */
  exempt: readonly string[]
  /** In words, by id. */
  clauses: ReadonlyMap<string, Schemas['Clause']>
  stamp: Stamp | undefined
  undoFor: number
  full: number | null
  may: boolean
  /** Cards that are ticked for a joint decision. */
  together: number
  movedAt: React.RefObject<number>
  onBegin: () => void
  onBack: () => void
  onRule: (ruling: Omit<Ruling, 'unticked'>, next: boolean) => void
  /** What is wrong, or nothing. */
  onCue: (say: string) => Promise<string>
  onNote: (note: string) => Promise<string>
  onRectify: (remedy: Remedy, note: string) => Promise<string>
  onAccept: () => void
}

/** Stage one: the verdicts. Stage two, in the same place: why. No verdict looks preferred, and none is preselected. */
export function DecisionBar(props: BarProps) {
  const { card, reasons, stamp, undoFor, full, may, together, movedAt, onBegin, onBack, onRule } = props
  const t = useTexts(TEXT)
  const outcome = useWord(outcomes)
  const label = useTexts(labels)
  const [verdict, setVerdict] = useState<Verdict | Writing | null>(null)
  const care = caring(card)
  const verdicts = care ? CARE : VERDICTS
  const key = `${card.post}/${card.moment}`
  useEffect(() => setVerdict(null), [key])

  const deaf = () => performance.now() - movedAt.current < DEAF_MS
  const begin = (next: Verdict | Writing) => () => {
    if (!may || full !== null || stamp?.state === 'conflict' || deaf()) return
    setVerdict(next)
    if (!writes(next)) onBegin()
  }
  const atOnce = (next: Verdict) => () => {
    const usual = reasonsFor(next, reasons)[0]
    if (may && full === null && !deaf() && usual) onRule({ verdict: next, reason: usual.id, clause: clausesOf(card)[0] ?? '', proof: '', note: '' }, true)
  }
  useKeys({
    ...Object.fromEntries(Object.entries(verdicts).map(([action, next]) => [action, begin(next)])),
    ...(care ? {} : { violationNext: atOnce('violation'), lawfulNext: atOnce('no_violation') }),
    cue: begin('cue'),
    note: begin('note'),
  }, verdict === null ? ['queue'] : [])

  if (!may) return <footer className="decisions" aria-label={t('decisions')}><p className="small">{t('notYours')}</p></footer>
  if (card.storm && together === 0) return <footer className="decisions" aria-label={t('decisions')}><p className="small">{t('stormHeld', { n: card.storm.held, m: card.storm.waiting })}</p></footer>
  if (stamp?.state === 'conflict') return <Conflict {...props} />
  if (verdict !== null && !writes(verdict))
    return (
      <Why {...props} verdict={verdict} onBack={() => {
        setVerdict(null)
        onBack()
      }} onRule={(ruling, next) => {
        setVerdict(null)
        onRule(ruling, next)
      }} />
    )
  if (verdict !== null) return <Write {...props} what={verdict} onClose={() => setVerdict(null)} />
  if (isSettled(card) && together === 0)
    return <Settled key={key} card={card} reasons={reasons} told={stamp && <Told stamp={stamp} undoFor={undoFor} />} onRectify={props.onRectify} />
  return (
    <footer className="decisions" aria-label={t('decisions')}>
      <div className="verdicts">
        {(Object.entries(verdicts) as [Action, Verdict][]).map(([action, each]) => (
          <Button key={action} size="large" onClick={begin(each)} disabled={full !== null}>
            <kbd>{KEYS[action].keys[0]!.toUpperCase()}</kbd> {each === 'escalate' || each === 'unclear' ? label(action) : outcome(each)}
          </Button>
        ))}
        <Button size="large" onClick={begin('cue')}><kbd>T</kbd> {label('cue')}</Button>
      </div>
      <p className="small said-so" role="status">
        {full !== null ? t('full', { n: full }) : together > 0 ? t('joint', { n: together }) : stamp ? <Told stamp={stamp} undoFor={undoFor} /> : !care && <><kbd>⇧V</kbd> {label('violationNext')} · <kbd>⇧N</kbd> {label('lawfulNext')}</>}
      </p>
    </footer>
  )
}

function Told({ stamp, undoFor }: { stamp: Stamp; undoFor: number }) {
  const t = useTexts(TEXT)
  const outcome = useWord(outcomes)
  const what = stamp.outcome in outcomes.zh ? outcome(stamp.outcome) : t('record')
  if (stamp.state === 'sending') return t('sending')
  if (stamp.state === 'undone') return t('undone')
  if (stamp.state === 'unsent') return `${t('unsent')} ${stamp.why ?? ''}`
  return undoFor > 0 ? t('undoFor', { what, s: undoFor }) : t('recorded', { what })
}

/** Somebody else was first, or it cannot be: both are shown, and nothing is dropped silently. */
function Conflict({ card, stamp, onAccept }: BarProps) {
  const t = useTexts(TEXT)
  const outcome = useWord(outcomes)
  const theirs = card.alerts.find((alert) => alert.outcome)?.outcome
  const accept = () => onAccept()
  useKeys({ tick: (key) => (key === '1' ? accept() : false) }, ['queue'])
  return (
    <footer className="decisions" aria-label={t('decisions')}>
      <p className="small" role="alert">
        {theirs ? t('conflictOther', { what: outcome(theirs) }) : t('conflict', { why: stamp?.why ?? '' })}
        {theirs && <span className="meta"> {stamp?.why}</span>}
      </p>
      <div className="verdicts"><Button onClick={accept}><kbd>1</kbd> {t('accept')}</Button></div>
    </footer>
  )
}

/** The reason, and what the verdict rests on. */
function Why({ card, reasons, exempt, clauses: words, verdict, onBack, onRule }: BarProps & { verdict: Verdict }) {
  const t = useTexts(TEXT)
  const outcome = useWord(outcomes)
  const label = useTexts(labels)
  const offered = useMemo(() => reasonsFor(verdict, reasons), [verdict, reasons])
  const rests = verdict === 'violation' || verdict === 'exempt'
  const { language } = useLanguage()
  const clauses = useMemo(() => [...new Set([...(verdict === 'exempt' ? exempt : []), ...clausesOf(card)])], [verdict, exempt, card])
  const [clause, setClause] = useState(clauses[0] ?? '')
  const inWords = (id: string) => {
    const known = words.get(id)
    return `${exempt.includes(id) ? `${t('exempt')}：` : ''}${known ? shortClause(known) : id}`
  }
  const [proof, setProof] = useState('')
  const [note, setNote] = useState('')
  const [chosen, setChosen] = useState(offered[0]?.id ?? '')
  const [lacking, setLacking] = useState('')
  const asks = verdict === 'exempt' || verdict === 'escalate' || verdict === 'attended'
  const box = useRef<HTMLElement>(null)
  useFocusIn(box)

  const rule = (reason: string) => {
    if (verdict === 'exempt' && (!clause || !proof.trim())) return setLacking(t('proofNeeded'))
    if ((verdict === 'escalate' || verdict === 'attended') && !note.trim()) return setLacking(t('noteNeeded'))
    onRule({ verdict, reason, clause: rests ? clause : '', proof: proof.trim(), note: note.trim() }, false)
  }
  const pick = (key: string) => {
    const reason = offered[Number(key) - 1]
    if (!reason) return false
    setChosen(reason.id)
    if (!asks) rule(reason.id)
    return true
  }
  useKeys({ reason: pick, usual: () => rule(chosen), back: onBack }, ['reasons', 'any'])
  const name = verdict === 'escalate' || verdict === 'unclear' ? label(verdict) : outcome(verdict)
  return (
    <footer ref={box} tabIndex={-1} className="decisions" aria-label={t('decisions')}>
      <div className="verdicts">
        <Button size="large" onClick={onBack}><kbd>Esc</kbd> {name}</Button>
        {offered.map((reason, i) => (
          <Button key={reason.id} size="large" aria-pressed={asks && reason.id === chosen} className={asks && reason.id === chosen ? 'picked' : ''}
            onClick={() => pick(String(i + 1))}>
            <kbd>{i === 0 ? '1 ⏎' : i + 1}</kbd> {reasonIn(language, reason)}
          </Button>
        ))}
      </div>
      <div className="rests">
        {rests && clauses.length > 0 && (
          <span className="small">{t('clause')} <Select size="small" value={clause} onChange={setClause} aria-label={t('clause')}
            options={clauses.map((id) => ({ value: id, label: inWords(id) }))} popupMatchSelectWidth={false} className="clause-choice" /></span>
        )}
        {asks && (
          <span className="field">
            <Input size="small" aria-label={verdict === 'exempt' ? t('proof') : t('note')} maxLength={2000}
              placeholder={verdict === 'exempt' ? t('proof') : verdict === 'escalate' ? t('escalateNote') : t('careNote')}
              value={verdict === 'exempt' ? proof : note} onChange={(event) => (verdict === 'exempt' ? setProof : setNote)(event.target.value)}
              onPressEnter={(event) => event.nativeEvent.isComposing || event.keyCode === 229 || rule(chosen)} />
          </span>
        )}
        {asks && <Button size="small" onClick={() => rule(chosen)}><kbd>⏎</kbd> {t('record')}</Button>}
        {lacking && <span className="small" role="alert">{lacking}</span>}
      </div>
    </footer>
  )
}

/** A sentence to the room, or to whoever looks at the alert next. */
function Write({ card, what, onCue, onNote, onClose }: BarProps & { what: Writing; onClose: () => void }) {
  const t = useTexts(TEXT)
  const advice = card.alerts[0]?.advice
  const [say, setSay] = useState(what === 'note' ? '' : (rewritesOf(card)[0]?.[1] ?? advice?.say ?? ''))
  const title = what === 'cue' ? t('cueTo') : t('note')
  const [told, setTold] = useState('')
  const box = useRef<HTMLElement>(null)
  useFocusIn(box)
  useKeys({ back: onClose }, ['any'])
  const send = async () => {
    const why = await (what === 'cue' ? onCue : onNote)(say.trim())
    if (why) setTold(why)
    else onClose()
  }
  return (
    <footer ref={box} tabIndex={-1} className="decisions" aria-label={t('decisions')}>
      <div className="rests">
        <span className="small">{title}</span>
        <span className="field wide">
          <Input value={say} maxLength={what === 'cue' ? 200 : 2000} aria-label={title} onChange={(event) => setSay(event.target.value)}
            onPressEnter={(event) => void (event.nativeEvent.isComposing || event.keyCode === 229 || send())} />
        </span>
        <Button onClick={() => void send()}><kbd>⏎</kbd> {t('record')}</Button>
        <Button onClick={onClose}><kbd>Esc</kbd> {t('back')}</Button>
      </div>
      {told && <p className="small" role="alert">{told}</p>}
    </footer>
  )
}
