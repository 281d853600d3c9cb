import { useEffect, useMemo, useRef } from 'react'
import { Link } from 'react-router'

import type { Schemas } from '../../api/client'
import { useTexts, useWord } from '../../i18n'
import { categories, outcomes, severities, states } from '../../i18n/words'
import { timeOfDay } from '../../parts/clock'
import { findsOf, levelOf, wordsOf, type Find } from './lines'
import type { Timeline } from './model'
import { TEXT } from './text'

type Row = { at: number; key: string } & ({ find: Find } | { cue: Schemas['Cue'] } | { signal: Schemas['KeptEvent'] })

/** What the lanes show, in words: findings, cues and signals by time. */
export function Points({ timeline, current, onPick, onTime }: { timeline: Timeline; current: string | null; onPick: (find: Find) => void; onTime: (at: number) => void }) {
  const t = useTexts(TEXT)
  const box = useRef<HTMLDivElement>(null)
  const rows = useMemo<Row[]>(() => [
    ...findsOf(timeline.points).map((find) => ({ at: find.at, key: find.key, find })),
    ...timeline.cues.map((cue) => ({ at: cue.at, key: cue.id, cue })),
    ...timeline.signals.map((signal) => ({ at: signal.at, key: `${signal.source}/${signal.id}`, signal })),
  ].sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1)), [timeline])
  useEffect(() => {
    box.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' })
  }, [current])
  return (
    <section className="points" aria-label={t('points')}>
      <h2 className="meta">{t('points')}{timeline.more && ` · ${t('pointsMore', { n: timeline.points.length })}`}</h2>
      {timeline.points.length === 0 && <p className="small empty">{t('noPoints')}</p>}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it is scrolled by keys */}
      <div ref={box} className="points-box" tabIndex={0} role="group" aria-label={t('points')}>
        <table>
          <thead className="hidden-head"><tr><th scope="col">{t('time')}</th><th scope="col">{t('what')}</th><th scope="col">{t('words')}</th></tr></thead>
          <tbody>
            {rows.map((row) => (
              'find' in row ? <Found key={row.key} find={row.find} room={timeline.broadcast.room} current={row.key === current} onPick={onPick} />
                : 'cue' in row ? <Told key={row.key} cue={row.cue} onTime={onTime} /> : <Heard key={row.key} signal={row.signal} onTime={onTime} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Found({ find, room, current, onPick }: { find: Find; room: string; current: boolean; onPick: (find: Find) => void }) {
  const t = useTexts(TEXT)
  const category = useWord(categories)
  const state = useWord(states)
  const outcome = useWord(outcomes)
  const severity = useWord(severities)
  const level = levelOf(find.points)
  const named = [...new Set(find.points.flatMap((point) => point.category))].map(category)
  const standing = [...new Set(find.points.map((point) => (point.outcome ? outcome(point.outcome) : state(point.state))))]
  const corrected = find.points.find((point) => point.corrected_at !== null)?.corrected_at
  return (
    <tr className={current ? 'current' : ''} {...(current ? { 'aria-current': true as const } : {})}>
      <td><button type="button" className="plain" onClick={() => onPick(find)}>{timeOfDay(find.at)}</button></td>
      <td><span className={`chip sev sev-${level}`}>{level} {severity(find.points[0]!.severity)}</span></td>
      <td>
        <span>{named.join('、') || find.points[0]!.title}</span>
        <span className="said-words" lang="zh-CN">{wordsOf(find.points).join('、') || find.points[0]!.text}</span>
        <span className="meta">
          <Link to={`/queue?room=${encodeURIComponent(room)}`}>{standing.join('、')}</Link>
          {corrected && ` · ${t('corrected', { t: timeOfDay(corrected) })}`}
        </span>
      </td>
    </tr>
  )
}

function Told({ cue, onTime }: { cue: Schemas['Cue']; onTime: (at: number) => void }) {
  const t = useTexts(TEXT)
  const answered = cue.answered === 'seen' || cue.answered === 'not_so' ? t(cue.answered) : cue.answered || t('unanswered')
  return (
    <tr>
      <td><button type="button" className="plain" onClick={() => onTime(cue.at)}>{timeOfDay(cue.at)}</button></td>
      <td><span className="chip">{t('cue')}</span></td>
      <td>
        <span lang="zh-CN">{cue.say}</span>
        <span className="meta">{t('cueOf', { who: cue.by.startsWith('rule:') ? t('rule') : cue.by })} · {answered}{cue.corrected_at !== null && ` · ${t('corrected', { t: timeOfDay(cue.corrected_at) })}`}</span>
      </td>
    </tr>
  )
}

function Heard({ signal, onTime }: { signal: Schemas['KeptEvent']; onTime: (at: number) => void }) {
  const t = useTexts(TEXT)
  const known = signal.text === 'broadcast_started' || signal.text === 'broadcast_ended' ? t(signal.text) : signal.text
  return (
    <tr>
      <td><button type="button" className="plain" onClick={() => onTime(signal.at)}>{timeOfDay(signal.at)}</button></td>
      <td><span className="chip">{t('signal')}</span></td>
      <td className="quiet">{known}</td>
    </tr>
  )
}
