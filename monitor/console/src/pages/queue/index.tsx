import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useSearchParams } from 'react-router'

import { api, get, serviceNow, told, type Alert } from '../../api/client'
import { useSession } from '../../api/session'
import { useRecords, useRooms } from '../../api/records'
import { useTexts, useWord } from '../../i18n'
import { platforms } from '../../i18n/words'
import { useKeys } from '../../keys'
import { isLive, isPending, keyOf, type Filter } from '../../live/board'
import { useStream } from '../../live/context'
import { Looking, useLook } from '../../live/looking'
import { span, timeOfDay, useSecond } from '../../parts/clock'
import { DecisionBar } from './bar'
import { Beside, cardOf, neighbour } from './beside'
import { CardList } from './cards'
import { categoriesOf, levelOf, rewritesOf, type Reason, type Remedy, type Ruling } from './decide'
import { UNDO_MS, useCard, useDesk, useList, useStamp, type Desk } from './desk'
import { clausesIn, exemptOf, useEvidence, useRelated } from './evidence'
import { filterOf, Filters } from './filters'
import { Moment } from './moment'
import './queue.css'
import { TEXT } from './text'
import { Timeline } from './timeline'

const CategoryCard = lazy(() => import('./categorycard'))

export default function QueuePage() {
  const [params, setParams] = useSearchParams()
  const filter = useMemo(() => filterOf(params), [params])
  const { me } = useSession()
  const desk = useDesk(me.id, filter, useStream())
  return <Cockpit key={JSON.stringify(filter)} desk={desk} filter={filter} onFilter={(next) => setParams(Object.entries(next).map(([name, value]): [string, string] => [name, String(value)]))} />
}

function Cockpit({ desk, filter, onFilter }: { desk: Desk; filter: Filter; onFilter: (filter: Filter) => void }) {
  const t = useTexts(TEXT)
  const { me, may } = useSession()
  const { board } = desk
  const { order, arrivals } = useList(board)
  const [cursor, setCursor] = useState<string | null>(null)
  const [unticked, setUnticked] = useState<ReadonlySet<string>>(new Set())
  const [clauses, setClauses] = useState(false)
  const [filtering, setFiltering] = useState(false)
  const [ticked, setTicked] = useState<ReadonlySet<string>>(NONE)
  const movedAt = useRef(0)
  const looking = useMemo(() => new Looking(me.id), [me.id])
  const current = cursor
  const card = useCard(board, current)
  const [beside, setBeside] = useState<Alert | null>(null)
  const shown = useMemo(() => (beside ? cardOf(beside) : card), [beside, card])
  const [reading, setReading] = useState(false)
  const stamp = useStamp(board, current)
  const at = current === null ? -1 : order.indexOf(current)
  const known = useEvidence(shown, [board.card(order[at + 1] ?? ''), board.card(order[at + 2] ?? '')])
  useLook(card?.storm ? undefined : card?.alerts[0]?.id, desk.stream, looking)
  const related = useRelated(shown && !shown.storm ? shown.alerts[0] : undefined)
  const rooms = useRooms()
  const platform = useWord(platforms)
  const titles = useMemo(() => new Map([...rooms].map(([id, room]) => [id, [room.platform && platform(room.platform), room.title ?? id].filter(Boolean).join(' · ')])), [rooms, platform])
  const reasons = useReasons()
  useEffect(() => {
    board.setRooms(new Set([...rooms].flatMap(([id, room]) => (room.platform === filter.platform ? [id] : []))))
  }, [board, rooms, filter.platform])
  const exempt = useMemo(() => [...new Set(known.all.flatMap((each) => exemptOf(each)))], [known.all])
  const inWords = useMemo(() => clausesIn(known.all), [known.all])

  const go = useCallback((key: string | undefined) => {
    if (key === undefined) return
    movedAt.current = performance.now()
    setCursor(key)
    setUnticked(new Set())
    setBeside(null)
  }, [])
  useEffect(() => {
    if (cursor === null && order[0] !== undefined) setCursor(order[0])
  }, [cursor, order])
  const step = (by: number) => go(order[Math.min(order.length - 1, Math.max(0, at + by))])
  /** To the next that nobody has decided; behind the last one, to the first that was left. */
  const advance = () => {
    const open = [...order.slice(at + 1), ...order.slice(0, at)].find((key) => !board.stampOf(key) && board.card(key)?.alerts.some(isLive))
    go(open ?? order[Math.min(order.length - 1, at + 1)])
  }
  /** To the broadcast's alert before or after: to its card, or where it is on none, to itself. */
  const peer = async (by: -1 | 1) => {
    const from = shown?.alerts[0]
    const to = from && neighbour(await related.latest(), from, by)
    if (!to) return
    const key = keyOf(cardOf(to))
    if (order.includes(key)) go(key)
    else setBeside(to)
  }
  const rule = (ruling: Omit<Ruling, 'unticked'>, next: boolean) => {
    const cards = ticked.size ? [...ticked].flatMap((key) => board.card(key) ?? []) : card ? [card] : []
    const done = cards.filter((each) => desk.decide(each, { ...ruling, unticked: each === card ? unticked : NONE }))
    setTicked(NONE)
    if (done.length && next) advance()
  }
  const tick = (category: string | undefined) => {
    if (!category) return
    const next = new Set(unticked)
    if (!next.delete(category)) next.add(category)
    if (card && next.size < categoriesOf(card).length) setUnticked(next)
  }
  useKeys({
    next: () => step(1), previous: () => step(-1), first: () => go(order[0]), last: () => go(order.at(-1)),
    takeIn: () => board.takeIn(), filters: () => setFiltering((open) => !open),
    together: () => {
      const next = new Set(ticked)
      if (current && !next.delete(current)) next.add(current)
      setTicked(next)
    },
    claim: () => void (card && desk.claim(card)), clause: () => setClauses((open) => !open),
    rewrite: () => void navigator.clipboard?.writeText(rewritesOf(card)[0]?.[1] ?? ''),
    earlier: () => void peer(-1), later: () => void peer(1), card: () => setReading(true),
    undo: () => {
      const key = desk.undo()
      if (key) go(key)
    },
    tick: (key) => tick(card && categoriesOf(card)[Number(key) - 1]),
  }, ['queue'])
  const onCue = useCallback((say: string) => wrongOf(() => get(api.POST('/api/v1/alerts/{id}/cue', {
    params: { path: { id: card?.alerts[0]?.id ?? '' } }, body: { say, quote: null, clause: null },
  }))), [card])
  const onNote = useCallback((note: string) => wrongOf(() => desk.note(card!, note)), [card, desk])
  const onRectify = useCallback((remedy: Remedy, note: string) => wrongOf(() => desk.rectify(card!, remedy, note)), [card, desk])
  const takeIn = useCallback(() => board.takeIn(), [board])

  return (
    <main className="cockpit">
      <nav className="queue" aria-label={t('queue')}>
        <QueueHead desk={desk} filter={filter} filtering={filtering} setFiltering={setFiltering} onFilter={onFilter} />
        <Arrivals desk={desk} arrivals={arrivals} onTake={takeIn} onPinned={(key) => {
          board.takeIn()
          go(key)
        }} />
        {order.length > 0
          ? <CardList board={board} looking={looking} order={order} cursor={current} ticked={ticked} onPick={go} me={me.id} rooms={titles} />
          : <Nothing desk={desk} filter={filter} onFilter={onFilter} />}
      </nav>
      {card && shown ? (
        <>
          <Moment card={shown} known={known} reasons={reasons} unticked={unticked} onTick={tick} room={rooms.get(shown.room)} clauses={clauses} related={related} />
          <Timeline card={shown} known={known} room={rooms.get(shown.room)} />
          {reading && <Suspense><CategoryCard key={keyOf(shown)} of={categoriesOf(shown)} onClose={() => setReading(false)} /></Suspense>}
          {beside ? <Beside alert={beside} onBack={() => setBeside(null)} /> : <Bar desk={desk} card={card} stamp={stamp} reasons={reasons} exempt={exempt} clauses={inWords} may={may('review')} movedAt={movedAt}
            together={ticked.size} onRule={rule} onCue={onCue} onNote={onNote} onRectify={onRectify} onAccept={() => board.stamp(keyOf(card), null)} />}
        </>
      ) : <div className="moment" />}
    </main>
  )
}

const NONE: ReadonlySet<string> = new Set()

/** What went wrong, in words; nothing where all is well. */
async function wrongOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work()
    return ''
  } catch (error) {
    return told(error)
  }
}

function Bar({ desk, card, ...rest }: Pick<React.ComponentProps<typeof DecisionBar>,
  'card' | 'stamp' | 'reasons' | 'exempt' | 'clauses' | 'may' | 'movedAt' | 'together' | 'onRule' | 'onCue' | 'onNote' | 'onRectify' | 'onAccept'> & { desk: Desk }) {
  useSecond()
  const last = desk.lastDone()
  const undoFor = last ? Math.ceil((UNDO_MS - (serviceNow() - last.at)) / 1000) : 0
  return (
    <DecisionBar {...rest} card={card} undoFor={last?.key === keyOf(card) ? undoFor : 0} full={desk.outbox.full ? desk.outbox.count() : null}
      onBegin={() => void desk.hold(card)} onBack={() => void desk.putBack(card)} />
  )
}

function QueueHead({ desk, filter, filtering, setFiltering, onFilter }: {
  desk: Desk
  filter: Filter
  filtering: boolean
  setFiltering: (open: boolean) => void
  onFilter: (filter: Filter) => void
}) {
  const t = useTexts(TEXT)
  const { me } = useSession()
  const second = useSecond()
  useList(desk.board)
  const { waiting, mine, oldest } = counted(desk, me.id)
  const active = Object.values(filter).filter(Boolean).length
  return (
    <div className="queue-head">
      <span className="small"><strong>{t('waiting', { n: `${waiting}${desk.loaded === 'more' ? '+' : ''}` })}</strong> · {t('mine', { n: mine })}</span>
      {oldest > 0 && <span className="small">{t('oldest', { t: span(second - oldest / 1000) })}</span>}
      <button type="button" className="plain" aria-expanded={filtering} onClick={() => setFiltering(!filtering)}>
        <kbd>F</kbd> {t('filters')}{active > 0 && ` ${active}`}
      </button>
      {filtering && <Filters filter={filter} onFilter={onFilter} />}
    </div>
  )
}

function counted(desk: Desk, me: string): { waiting: number; mine: number; oldest: number } {
  let [waiting, mine, oldest] = [0, 0, Infinity]
  for (const key of desk.board.now().order) {
    const alerts = desk.board.card(key)?.alerts ?? []
    const live = alerts.find(isPending)
    if (!live || ['sending', 'recorded', 'unsent'].includes(desk.board.stampOf(key)?.state ?? '')) continue
    waiting++
    if (live.claimed_by === me) mine++
    oldest = Math.min(oldest, live.accepted_at)
  }
  return { waiting, mine, oldest: oldest === Infinity ? 0 : oldest }
}

/** Two rows whose height is always there, so that nothing below them moves. */
function Arrivals({ desk, arrivals, onTake, onPinned }: {
  desk: Desk
  arrivals: readonly string[]
  onTake: () => void
  onPinned: (key: string) => void
}) {
  const t = useTexts(TEXT)
  const urgent = arrivals.filter((key) => {
    const card = desk.board.card(key)
    return card && (levelOf(card.alerts) === 5 || card.alerts.some((alert) => alert.tier === 'care' || alert.tier === 'redline'))
  })
  const critical = arrivals.filter((key) => levelOf(desk.board.card(key)?.alerts ?? []) === 5).length
  const first = urgent.map((key) => desk.board.card(key)).sort((a, b) => (b?.priority ?? 0) - (a?.priority ?? 0))[0]
  return (
    <>
      <div className="pinned small">
        {first
          ? <button type="button" className="plain one-line" onClick={() => onPinned(keyOf(first))}><span className={`chip sev sev-${levelOf(first.alerts)}`}>{levelOf(first.alerts)}</span> {first.alerts[0]?.text || first.alerts[0]?.title}</button>
          : <span className="meta">{t('noPinned')}</span>}
      </div>
      <div className="arrivals small">
        {arrivals.length > 0
          ? <button type="button" className="plain arrived" onClick={onTake}>{t('arrivals', { n: arrivals.length, m: critical })}</button>
          : <span className="meta">{t('noArrivals')}</span>}
      </div>
    </>
  )
}

function Nothing({ desk, filter, onFilter }: { desk: Desk; filter: Filter; onFilter: (filter: Filter) => void }) {
  const t = useTexts(TEXT)
  const { data } = useLast(desk.loaded === 'all')
  if (desk.loaded === 'loading') return <div className="outlines" role="status" aria-label={t('loading')}>{[1, 2, 3, 4, 5].map((n) => <i key={n} />)}</div>
  if (desk.trouble) return <p className="empty" role="alert">{desk.trouble.message} <button type="button" className="plain" onClick={() => void desk.load()}>↻</button></p>
  if (Object.values(filter).some(Boolean)) return <p className="empty">{t('noMatch')} <button type="button" className="plain" onClick={() => onFilter({})}>{t('clear')}</button></p>
  return <p className="empty">{data ? t('emptyLast', { t: timeOfDay(data) }) : t('empty')}</p>
}

function useLast(enabled: boolean): { data: number | undefined } {
  const [data, setData] = useState<number>()
  useEffect(() => {
    if (!enabled) return
    get(api.GET('/api/v1/alerts', { params: { query: { state: 'closed', limit: 1 } } }))
      .then((page) => setData(page.alerts[0]?.last_at), () => {})
  }, [enabled])
  return { data }
}

function useReasons(): Reason[] {
  const records = useRecords('reason')
  return useMemo(() => (records ?? []).map((each) => ({ id: each.id, ...(each.record as Omit<Reason, 'id'>) })), [records])
}
