import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useEffect, useRef, useState } from 'react'

import { told, type Alert, type Card } from '../../api/client'
import { useSession } from '../../api/session'
import { texts, useLanguage, useTexts, useWord } from '../../i18n'
import { outcomes } from '../../i18n/words'
import { timeOfDay } from '../../parts/clock'
import { around, Marked } from '../../parts/marked'
import { reasonIn, reasonsFor, type Reason } from './decide'
import { markingsOf } from './sentence'
import { heldPage, moveAll, stepOf, type HeldMove, type Progress } from './stormwork'

const TEXT = texts(
  {
    holds: '风暴暂缓了 {n} 条，还有 {m} 条', release: '全部放行', together: '合并研判', back: '返回', running: '进行中：已办 {n} 条，还剩 {m} 条', stop: '停下', lead: '放行与合并研判要组长来做',
    done: '已办 {n} 条，还剩 {m} 条', refused: '{n} 条没有办：{why}', empty: '已经没有暂缓的了', more: '再看 50 条', again: '重试', pick: '合并研判为“{what}”，理由：',
  },
  {
    holds: 'The storm held {n} {n:alert|alerts}; {m} still {m:is|are}', release: 'Release all', together: 'Decide together', back: 'Back', running: 'At work: {n} done, {m} left', stop: 'Stop', lead: 'Releasing and deciding together is for a lead',
    done: '{n} done, {m} left', refused: '{n} {n:was|were} not moved: {why}', empty: 'Nothing is held any more', more: '50 more', again: 'Try again', pick: 'All of them "{what}", because:',
  },
)

type Ruled = 'violation' | 'no_violation'

/** What a storm holds: looked through, released, or decided in one go. */
export function StormPane({ card, reasons }: { card: Card; reasons: readonly Reason[] }) {
  const t = useTexts(TEXT)
  const storm = card.storm!
  const work = useStormWork(storm.id)
  const found = useInfiniteQuery({
    queryKey: ['storm', storm.id],
    queryFn: ({ signal, pageParam }) => heldPage(storm.id, pageParam, signal),
    initialPageParam: null as string | null, getNextPageParam: (page) => page.next ?? null, staleTime: 30_000,
  })
  const alerts = found.data?.pages.flatMap((page) => page.alerts) ?? []
  const waiting = work.progress?.left ?? storm.waiting
  return (
    <section className="storm">
      <p className="title">{t('holds', { n: storm.held, m: waiting })}</p>
      <StormActs sample={card.alerts[0]} reasons={reasons} work={work} />
      {found.error && <p role="alert">{found.error.message} <button type="button" className="plain" onClick={() => void found.refetch()}>{t('again')}</button></p>}
      {found.data && alerts.length === 0 && <p className="empty">{t('empty')}</p>}
      <ol className="storm-list">{alerts.map((alert) => <Held key={alert.id} alert={alert} />)}</ol>
      {found.hasNextPage && <Button onClick={() => void found.fetchNextPage()} disabled={found.isFetchingNextPage}>{t('more')}</Button>}
    </section>
  )
}

function Held({ alert }: { alert: Alert }) {
  const { text, markings } = around(alert.text || alert.title, alert.text ? markingsOf([alert]) : [], 60)
  return (
    <li>
      <span className="meta">{timeOfDay(alert.at)}</span>
      <span className="meta one-line">{alert.room}</span>
      <span className="small one-line" lang="zh-CN"><Marked text={text} markings={markings} /></span>
    </li>
  )
}

interface Work {
  progress: Progress | null
  running: boolean
  wrong: string
  run: (move: HeldMove) => void
  stop: () => void
}

/** It goes on while the page is there; leaving the card ends it after the step that runs. */
function useStormWork(storm: string): Work {
  const client = useQueryClient()
  const [progress, setProgress] = useState<Progress | null>(null)
  const [running, setRunning] = useState(false)
  const [wrong, setWrong] = useState('')
  const ending = useRef(new AbortController())
  useEffect(() => () => ending.current.abort(), [])
  const run = (move: HeldMove) => {
    ending.current = new AbortController()
    setRunning(true)
    setWrong('')
    moveAll(stepOf(storm, move), setProgress, ending.current.signal)
      .catch((error: unknown) => setWrong(told(error)))
      .finally(() => {
        setRunning(false)
        void client.invalidateQueries({ queryKey: ['storm', storm] })
      })
  }
  return { progress, running, wrong, run, stop: () => ending.current.abort() }
}

function StormActs({ sample, reasons, work }: { sample: Alert | undefined; reasons: readonly Reason[]; work: Work }) {
  const t = useTexts(TEXT)
  const { may } = useSession()
  const outcome = useWord(outcomes)
  const [ruling, setRuling] = useState<Ruled | 'which' | null>(null)
  const { progress, running, wrong, run, stop } = work
  if (!may('lead')) return <p className="small">{t('lead')}</p>
  const values = { n: progress?.moved ?? 0, m: progress?.left ?? '…' }
  if (running) return <p className="storm-acts" role="status">{t('running', values)} <Button size="small" onClick={stop}>{t('stop')}</Button></p>
  return (
    <>
      <div className="storm-acts">
        {ruling === null && <Button onClick={() => run({ move: 'release' })}>{t('release')}</Button>}
        {ruling === null && <Button onClick={() => setRuling('which')}>{t('together')}</Button>}
        {ruling === 'which' && (['violation', 'no_violation'] as const).map((each) => <Button key={each} onClick={() => setRuling(each)}>{outcome(each)}</Button>)}
        {ruling !== null && ruling !== 'which' && <Why ruled={ruling} reasons={reasons} onPick={(reason) => {
          setRuling(null)
          const clause = ruling === 'violation' ? (sample?.clauses[0] ?? '') : ''
          run({ move: 'decide', outcome: ruling, reason, clause, categories: [], proof: '', note: '' })
        }} />}
        {ruling !== null && <Button onClick={() => setRuling(null)}>{t('back')}</Button>}
      </div>
      {progress && <p className="small" role="status">{t('done', values)}{progress.refused > 0 && `；${t('refused', { n: progress.refused, why: progress.why })}`}</p>}
      {wrong && <p className="small" role="alert">{wrong}</p>}
    </>
  )
}

function Why({ ruled, reasons, onPick }: { ruled: Ruled; reasons: readonly Reason[]; onPick: (reason: string) => void }) {
  const t = useTexts(TEXT)
  const { language } = useLanguage()
  const outcome = useWord(outcomes)
  return (
    <>
      <span className="small">{t('pick', { what: outcome(ruled) })}</span>
      {reasonsFor(ruled, reasons).map((reason) => <Button key={reason.id} onClick={() => onPick(reason.id)}>{reasonIn(language, reason)}</Button>)}
    </>
  )
}
