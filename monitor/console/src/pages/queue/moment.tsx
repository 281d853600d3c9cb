import { Checkbox } from 'antd'
import { useState, type ReactNode } from 'react'

import type { Card, Schemas } from '../../api/client'
import { type RoomRecord } from '../../api/records'
import { useTexts, useWord } from '../../i18n'
import { categories, evasions, opinions, outcomes, platforms, roles, severities, states, tiers } from '../../i18n/words'
import { timeOfDay } from '../../parts/clock'
import { caring, categoriesOf, levelOf, rewritesOf, shortClause, titlesOf, type Reason } from './decide'
import { heard } from './heard'
import { clausesIn, exemptOf, useHistory, useRelated, type Known } from './evidence'
import { Sentence } from './sentence'
import { StormPane } from './storm'
import { TEXT } from './text'

const FACTORS = ['severity', 'tier', 'confidence', 'recurrence', 'evasive', 'speaker', 'repeat'] as const

export function Moment({ card, known, reasons, unticked, onTick, room, clauses, related }: {
  card: Card
  known: Known
  reasons: readonly Reason[]
  unticked: ReadonlySet<string>
  onTick: (category: string) => void
  room: RoomRecord | undefined
  clauses: boolean
  related: ReturnType<typeof useRelated>
}) {
  const t = useTexts(TEXT)
  const say = useWord(categories)
  const severity = useWord(severities)
  const tier = useWord(tiers)
  const role = useWord(roles)
  const opinion = useWord(opinions)
  const platform = useWord(platforms)
  const evasion = useWord(evasions)
  const first = card.alerts[0]
  const history = useHistory(card.storm ? undefined : first?.id, first?.version)
  if (!first) return null
  const level = levelOf(card.alerts)
  const found = known.all[0]?.findings
  const finding = found?.findLast((each) => each.text === first.text) ?? found?.at(-1)
  const named = categoriesOf(card)
  const said = heard(known.all[0]?.context ?? [], finding)
  const withdrawn = first.state === 'withdrawn'
  const disguised = [...new Set(card.alerts.flatMap((alert) => (alert.evasive ? [alert.evasive] : [])))]
  return (
    <article className={`moment${withdrawn ? ' gone' : ''}`} aria-label={t('moment')}>
      <header className="moment-head">
        <span className={`chip sev sev-${level}`}>{caring(card) ? '♥' : level} {severity(first.severity)}</span>
        <strong>{named[0] ? say(named[0]) : first.title}</strong>
        <span className="small">{tier(first.tier)}</span>
        {(finding?.role ?? 'unknown') === 'unknown'
          ? finding && <span className="chip">{t('roleUnknown')}</span>
          : <span className="small">{role(finding!.role)}</span>}
        <span className="small">{room?.title ?? card.room}{room?.platform ? ` · ${platform(room.platform)}` : ''}</span>
        <span className="small">{timeOfDay(first.at)}</span>
        {disguised.map((each) => <span key={each} className="chip">{evasion(each)}</span>)}
        {finding?.opinion && <span className="chip">{opinion(finding.opinion)}</span>}
        {history?.case.kept.cued && <span className="chip">{t('cued')}</span>}
        {history?.case.kept.corrected && (
          <span className="chip inverse">{t('corrected', { s: Math.round((history.case.kept.corrected.at - first.at) / 1000) })}</span>
        )}
      </header>
      {history && <Rank factors={history.case.kept.factors} priority={card.priority} />}
      {withdrawn && <p className="small">{t('withdrawn', { why: first.reason })}</p>}
      {card.storm
        ? <StormPane key={card.storm.id} card={card} reasons={reasons} />
        : <Sentence card={card} context={known.all[0]?.context ?? []} heard={said} />}
      {known.failed && <p role="alert">{known.failed.message} <button type="button" className="plain" onClick={known.again}>↻</button></p>}
      <Because card={card} known={known} open={clauses} />
      {named.length > 0 && !card.storm && (
        <fieldset className="ticks">
          <legend className="meta">{t('categoriesOf')}</legend>
          {named.map((category, i) => (
            <Checkbox key={category} checked={!unticked.has(category)} onChange={() => onTick(category)}>
              <kbd>{i + 1}</kbd> {say(category)}
            </Checkbox>
          ))}
        </fieldset>
      )}
      <Around related={related} history={history} card={card} />
    </article>
  )
}

function Rank({ factors, priority }: { factors: Schemas['Factors']; priority: number }) {
  const t = useTexts(TEXT)
  const said = FACTORS.filter((name) => name === 'severity' || factors[name] !== 1)
    .map((name) => t(`factor_${name}`, { v: factors[name] })).join(' × ')
  return <p className="meta">{t('rank', { n: priority })} = {said}</p>
}

/** Why it was found, what it rests on, what to say instead. */
function Because({ card, known, open }: { card: Card; known: Known; open: boolean }) {
  const t = useTexts(TEXT)
  const named = clausesIn(known.all)
  const own = new Set(card.alerts.flatMap((alert) => alert.clauses))
  const clauses = new Map([...named].filter(([id]) => own.has(id)))
  const unverified = new Set(card.alerts.flatMap((alert) => alert.unverified ?? []))
  const lapsed = new Set(card.alerts.flatMap((alert) => alert.not_in_force ?? []))
  const exempt = [...new Set(known.all.flatMap((each) => exemptOf(each)))]
  const advice = card.alerts[0]?.advice
  const rewrites = rewritesOf(card)
  const { titles, others } = titlesOf(card)
  const scores = known.all.flatMap((each) => Object.values(each.why ?? {}).flat())
  return (
    <dl className="because">
      <dt>{t('reason')}</dt>
      <dd>
        {titles.join('；')}
        {others.length > 0 && <span className="meta">{open ? `；${others.join('；')}` : ` ${t('more', { n: others.length })}`}</span>}
      </dd>
      {clauses.size > 0 && <dt>{t('clauses')} <kbd>L</kbd></dt>}
      {clauses.size > 0 && (
        <dd>
          {[...clauses.values()].slice(0, open ? 20 : 3).map((clause) => (
            <p key={clause.id}>
              <span className="clause">《{clause.document.replaceAll(/[《》]/g, '')}》{clause.article}</span>{' '}
              <span className="chip">{unverified.has(clause.id) ? t('unverified') : t(`confidence_${clause.confidence}`)}</span>
              {lapsed.has(clause.id) && <span className="chip inverse">{t('notInForce')}</span>}
              {open && <span className="clause-text">{clause.requirement}</span>}
            </p>
          ))}
          {!open && clauses.size > 3 && <span className="meta">{t('more', { n: clauses.size - 3 })}</span>}
        </dd>
      )}
      {exempt.length > 0 && <><dt>{t('exempt')}</dt><dd>{exempt.map((id) => (named.has(id) ? shortClause(named.get(id)!) : id)).join('；')}</dd></>}
      {advice?.say && <><dt>{t('advice')}</dt><dd>{advice.say}</dd></>}
      {rewrites.length > 0 && <dt>{t('rewrite')} <kbd>Y</kbd></dt>}
      {rewrites.length > 0 && <dd>{rewrites.slice(0, 2).map(([from, to]) => <p key={to}>“{from}” → “{to}”</p>)}</dd>}
      {scores.length > 0 && <><dt>{t('why')}</dt><dd><Scores scores={scores} /></dd></>}
    </dl>
  )
}

function Scores({ scores }: { scores: readonly Schemas['Why'][] }) {
  const say = useWord(categories)
  const best = new Map<string, Schemas['Why']>()
  for (const each of scores) if (each.score > (best.get(each.category)?.score ?? 0)) best.set(each.category, each)
  return [...best.values()].sort((a, b) => b.score - a.score).slice(0, 3).map((each) => (
    <p key={each.category}>
      {say(each.category)} <strong>{each.score.toFixed(2)}</strong>{' '}
      <span className="meta" lang="zh-CN">{each.carrying.slice(0, 5).map((piece) => `“${piece.text}”`).join(' ')}</span>
    </p>
  ))
}

/** What else there is: of this broadcast, of these words, of this alert. */
function Around({ related, history, card }: {
  related: ReturnType<typeof useRelated>
  history: Schemas['History'] | undefined
  card: Card
}) {
  const t = useTexts(TEXT)
  const own = new Set(card.alerts.map((alert) => alert.id))
  const earlier = related.earlier.filter((alert) => !own.has(alert.id))
  const violations = earlier.filter((alert) => alert.outcome === 'violation').length
  const elsewhere = new Set(related.alike?.alerts.map((alert) => alert.room)).size
  const moves = history?.moves ?? []
  return (
    <div className="around">
      {earlier.length > 0 && (
        <Fold title={t('earlier', { n: earlier.length, v: violations })}>
          <ul>{earlier.slice(0, 12).map((alert) => (
            <li key={alert.id} className="small one-line"><span className="meta">{timeOfDay(alert.at)}</span> {alert.text || alert.title}</li>
          ))}</ul>
        </Fold>
      )}
      {elsewhere > 0 && (
        <Fold title={t('alike', { n: elsewhere })}>
          <ul>{related.alike?.alerts.slice(0, 12).map((alert) => (
            <li key={alert.id} className="small one-line">{alert.room} <span className="meta">{timeOfDay(alert.at)}</span></li>
          ))}</ul>
        </Fold>
      )}
      {moves.length > 0 && (
        <Fold title={`${t('history')} ${moves.length}`}>
          <ul>{moves.map((moved) => <Step key={moved.version} moved={moved} />)}</ul>
        </Fold>
      )}
    </div>
  )
}

function Step({ moved }: { moved: Schemas['Moved'] }) {
  const state = useWord(states)
  const outcome = useWord(outcomes)
  const { outcome: ruled, note } = moved.move as { outcome?: string; note?: string }
  return (
    <li className="small">
      <span className="meta">{timeOfDay(moved.at)} {moved.by}</span>{' '}
      {ruled ? outcome(ruled) : `${state(moved.before)} → ${state(moved.after)}`}
      {note && `：${note}`}
    </li>
  )
}

function Fold({ title, children }: { title: string; children: ReactNode }) {
  const [open, setOpen] = useState(false)
  return (
    <div>
      <button type="button" className="plain" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? '▾' : '▸'} {title}</button>
      {open && children}
    </div>
  )
}
