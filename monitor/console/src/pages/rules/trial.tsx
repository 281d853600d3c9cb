import { useQuery } from '@tanstack/react-query'
import { Select } from 'antd'
import { useCallback, useMemo, useState } from 'react'

import { api, get } from '../../api/client'
import { useTexts } from '../../i18n'
import { kinds, LEVEL_OF, roles, type SeverityName } from '../../i18n/words'
import { timeOfDay } from '../../parts/clock'
import { Marked, type Marking } from '../../parts/marked'
import { useRooms } from '../../api/records'
import { useSettled, type Tried } from './data'
import { TEXT } from './text'

type Line = Tried['lines'][number]
type Fate = Line['fates'][number]
const MINUTES = [1, 2, 5, 10]
const KEPT = 'redpost.rules.tried'

/** What the rules make of pasted words, or of a room's last minutes, with the text in place of its file. */
export function Trial({ path, text }: { path: string; text: string }) {
  const t = useTexts(TEXT)
  const role = useTexts(roles)
  const rooms = useRooms()
  const aired = useQuery({
    queryKey: ['aired'],
    queryFn: ({ signal }) => get(api.GET('/api/v1/rooms', { params: { query: { limit: 200 } }, signal })),
    staleTime: 30_000,
  })
  const choices = useMemo(() => {
    const known = new Map([...rooms].map(([id, each]) => [id, each.title ?? id]))
    for (const each of aired.data?.rooms ?? []) if (!known.has(each.room)) known.set(each.room, each.room)
    return [...known].map(([value, label]) => ({ value, label }))
  }, [rooms, aired.data])
  const [from, setFrom] = useState<'said' | 'room'>('said')
  const [said, setSaid] = useState(() => sessionStorage.getItem(KEPT) ?? '')
  const [composing, setComposing] = useState(false)
  const [settledSaid, setSettled] = useState(said)
  const [room, setRoom] = useState('')
  const [minutes, setMinutes] = useState(5)
  const [who, setWho] = useState<'host' | 'assistant' | 'guest' | 'viewer'>('host')
  const asked = useMemo(() => {
    if (from === 'room') return room ? { path, text, room, minutes } : null
    return settledSaid.trim() ? { path, text, said: settledSaid, role: who, kind: who === 'viewer' ? 'comment' as const : 'transcript' as const } : null
  }, [from, room, minutes, path, text, settledSaid, who])
  const ask = useCallback((body: NonNullable<typeof asked>, signal: AbortSignal) =>
    get(api.POST('/api/v1/rules/try', { body: { said: '', room: '', minutes: 5, role: 'host', kind: 'transcript', ...body }, signal })), [])
  const { answer, busy, trouble } = useSettled(asked, 300, ask)
  const change = (value: string, done: boolean) => {
    setSaid(value)
    sessionStorage.setItem(KEPT, value)
    if (done) setSettled(value)
  }
  return (
    <aside className="trial" aria-label={t('tryIt')}>
      <div className="trial-head">
        <h2 className="title">{t('tryIt')}</h2>
        <div className="switch small">
          {([['said', 'pasted'], ['room', 'fromRoom']] as const).map(([each, word]) => <button key={each} type="button" className="plain" aria-pressed={from === each} onClick={() => setFrom(each)}>{t(word)}</button>)}
        </div>
      </div>
      {from === 'said'
        ? (
          <>
            <textarea className="trial-text" lang="zh-CN" value={said} placeholder={t('tryHint')} aria-label={t('tryHint')}
              onCompositionStart={() => setComposing(true)}
              onCompositionEnd={(event) => {
                setComposing(false)
                change(event.currentTarget.value, true)
              }}
              onChange={(event) => change(event.target.value, !composing)} />
            <div className="switch small" role="group" aria-label={t('role')}>
              {(['host', 'assistant', 'guest', 'viewer'] as const).map((each) => <button key={each} type="button" className="plain" aria-pressed={who === each} onClick={() => setWho(each)}>{role(each)}</button>)}
            </div>
          </>
        )
        : (
          <div className="trial-room">
            <Select value={room || null} placeholder={t('room')} aria-label={t('room')} showSearch onChange={(value: string) => setRoom(value)}
              options={choices} />
            <div className="switch small">{MINUTES.map((each) => <button key={each} type="button" className="plain" aria-pressed={minutes === each} onClick={() => setMinutes(each)}>{t('lastMinutes', { n: each })}</button>)}</div>
          </div>
        )}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it is scrolled by keys */}
      <div className="trial-result" aria-busy={busy} tabIndex={0} role="region" aria-label={t('result')}>
        {trouble && <p role="alert">{trouble}</p>}
        {!asked && <p className="meta">{t('tryFirst')}</p>}
        {asked && !answer && !trouble && <p className="meta" role="status">{t('trying')}</p>}
        {asked && answer && <Result tried={answer} fromRoom={from === 'room'} />}
      </div>
    </aside>
  )
}

function Result({ tried, fromRoom }: { tried: Tried; fromRoom: boolean }) {
  const t = useTexts(TEXT)
  if (tried.faults.length) return <p className="meta">{t('tryFaults')}</p>
  if (!tried.lines?.length && !tried.missing?.length) return <p className="meta">{fromRoom ? t('tryRoomNothing', { n: tried.looked ?? 0 }) : t('tryNothing')}</p>
  return (
    <>
      {tried.missing?.map((found) => <p key={found.rule}><strong>{t('missing')}</strong> {found.title}</p>)}
      {/* oxlint-disable-next-line react/no-array-index-key -- lines have no other name */}
      <ol>{tried.lines?.map((line, n) => <TriedLine key={n} line={line} dated={fromRoom} />)}</ol>
    </>
  )
}

function TriedLine({ line, dated }: { line: Line; dated: boolean }) {
  const t = useTexts(TEXT)
  const role = useTexts(roles)
  const kind = useTexts(kinds)
  const markings: Marking[] = line.found.flatMap((found) => found.spans.map((span) =>
    ({ span: { start: span.start, end: span.end, term: span.term ?? '' }, level: LEVEL_OF[found.severity as SeverityName] })))
  return (
    <li className="tried">
      {dated && <p className="meta">{line.at ? timeOfDay(line.at) : ''} {role(line.role as never)} · {kind(line.kind as never)}</p>}
      <p className="tried-text" lang="zh-CN"><Marked text={line.text} markings={markings} /></p>
      {line.found.map((found, n) => (
        // oxlint-disable-next-line react/no-array-index-key -- a rule may find twice in a line
        <p key={n} className="small"><span className={`chip sev sev-${LEVEL_OF[found.severity as SeverityName]}`}>{LEVEL_OF[found.severity as SeverityName]}</span> {found.title} <span className="meta">{found.own ? t('own') : found.rule}</span></p>
      ))}
      {line.fates.map((fate) => <FateOf key={fate.rule} fate={fate} text={line.text} />)}
    </li>
  )
}

/** Every hit of the file's rules: which stand, and what took the others away. */
function FateOf({ fate, text }: { fate: Fate; text: string }) {
  const t = useTexts(TEXT)
  const points = Array.from(text)
  const why = fate.why ? t(({ condition: 'whyCondition', applies: 'whyApplies', unlikely: 'whyUnlikely' } as const)[fate.why as 'condition']) : t('holds')
  return (
    <div className="fate small">
      <p className="meta">{fate.rule} · {why}{fate.why === 'condition' && <> · {t('conditionIs', { c: fate.condition })}</>}</p>
      <ul>
        {fate.hits.map((hit, n) => (
          // oxlint-disable-next-line react/no-array-index-key -- hits have no other name
          <li key={n}>
            <code>{hit.selection}</code> <span lang="zh-CN" className={hit.taken_by ? 'taken' : ''}>{points.slice(hit.start, hit.end).join('')}</span>
            {hit.taken_by && <span className="chip">{t('takenBy')}：{reason(hit.taken_by, t)}</span>}
          </li>
        ))}
      </ul>
    </div>
  )
}

const STAGES = ['veto', 'allow', 'near', 'context', 'times', 'proof', 'listed'] as const

function reason(taken: string, t: (key: (typeof STAGES)[number] | 'other', values: { x: string }) => string): string {
  const [stage = '', ...what] = taken.split(' ')
  const known = STAGES.find((each) => each === stage)
  return known ? t(known, { x: what.join(' ') }) : t('other', { x: taken })
}
