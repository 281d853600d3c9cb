import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api, get, told, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n'
import { LEVEL_OF, type SeverityName } from '../../i18n/words'
import { dayAndTime } from '../../parts/clock'
import { Marked } from '../../parts/marked'
import { useDryRun } from './data'
import { TEXT } from './text'

type Outcome = Schemas['DryOutcome']

/** The latest dry run of a file, how to start one, and of which text it was, as far as this page knows. */
export function useDryRunOf(path: string) {
  const asked = useDryRun(path)
  const client = useQueryClient()
  const [ran, setRan] = useState<{ path: string; text: string } | null>(null)
  const [trouble, setTrouble] = useState('')
  const answered = async (asking: () => Promise<Schemas['DryRun']>) => {
    setTrouble('')
    try {
      client.setQueryData(['dry-run', path], await asking())
    } catch (error) {
      setTrouble(told(error))
    }
    await client.invalidateQueries({ queryKey: ['dry-run', path] })
  }
  const start = (text: string, hours: number) => answered(async () => {
    const run = await get(api.POST('/api/v1/rules/dryrun', { body: { path, text, hours } }))
    setRan({ path, text })
    return run
  })
  const stop = () => answered(() => get(api.DELETE('/api/v1/rules/dryrun', { params: { query: { path } } })))
  return { data: asked.data, trouble: trouble || (asked.error ? told(asked.error) : ''), start, stop, ran: ran?.path === path ? ran.text : null }
}

export function DryRunPanel({ path, text, run, ready }: { path: string; text: string; run: ReturnType<typeof useDryRunOf>; ready: boolean }) {
  const t = useTexts(TEXT)
  const { data } = run
  const running = data?.state === 'running'
  return (
    <div className="dry" key={path}>
      <p>
        <button type="button" className="act" disabled={!ready || running} onClick={() => void run.start(text, 2)}>{t('dry2')}</button>{' '}
        <button type="button" className="act" disabled={!ready || running} onClick={() => void run.start(text, 24)}>{t('dry24')}</button>{' '}
        {running && <span role="status">{t('running', { h: data.hours, p: Math.round((data.done ?? 0) * 100) })} <progress value={data.done ?? 0} max={1} aria-label={t('dryRun')} /> <button type="button" className="act" onClick={() => void run.stop()}>{t('stop')}</button></span>}
      </p>
      {run.trouble && <p role="alert">{t('trouble', { why: run.trouble })}</p>}
      {(data?.state === 'interrupted' || data?.state === 'stopped') && (
        <p role="alert">{t(data.state, { h: data.hours })} <button type="button" className="act" disabled={!ready} onClick={() => void run.start(text, data.hours)}>{t('runAgain')}</button></p>
      )}
      {data?.fault && <p role="alert">{t('trouble', { why: data.fault })}</p>}
      {!data && !run.trouble && <p className="meta">{t('dryNone')}</p>}
      {data?.outcome && run.ran !== null && run.ran !== text && <p className="meta">{t('stale')}</p>}
      {data?.outcome && <Came of={data.outcome} />}
    </div>
  )
}

function Came({ of }: { of: Outcome }) {
  const t = useTexts(TEXT)
  const rate = (alerts: number) => (of.room_hours ? (alerts / of.room_hours).toFixed(2) : '0')
  return (
    <>
      <p className="dry-rate">
        <span className="number">{rate(of.now)}</span> → <span className="number">{rate(of.new)}</span> <span className="small">{t('perHour')}</span>
        <span className="meta">{t('now')} {of.now} · {t('afterwards')} {of.new} · {t('looked', { n: of.events, h: of.room_hours })}{of.cut > 0 && ` · ${t('cut', { n: of.cut })}`}</span>
      </p>
      {of.posts.length > 0 && (
        <ul className="small">
          {of.posts.map((post) => (
            <li key={post.post}>{post.title || post.post} · {t('perPost')} {post.now} → <strong>{post.new}</strong> · {t('budget')} {post.budget ?? t('noBudget')}
              {post.budget != null && post.new > post.budget && <> <span className="chip inverse">{t('over')}</span></>}</li>
          ))}
        </ul>
      )}
      {!of.came && !of.went && <p className="meta">{t('nothingChanged')}</p>}
      {of.came > 0 && <Samples title={t('came', { n: of.came })} of={of.coming} />}
      {of.went > 0 && <Samples title={t('went', { n: of.went })} of={of.going} />}
    </>
  )
}

function Samples({ title, of }: { title: string; of: Outcome['coming'] }) {
  const t = useTexts(TEXT)
  return (
    <section>
      <h3 className="small"><strong>{title}</strong> <span className="meta">{t('sampleOf', { n: of.length })}</span></h3>
      <ol>
        {of.map((each, n) => (
          // oxlint-disable-next-line react/no-array-index-key -- samples have no other name
          <li key={n} className="sample">
            <span className="meta">{dayAndTime(each.at)} {each.room}</span>
            <span lang="zh-CN"><Marked text={each.text || each.title} markings={each.text ? each.spans.map((span) => ({ span: { start: span.start, end: span.end, term: span.term ?? '' }, level: LEVEL_OF[each.severity as SeverityName] })) : []} /></span>
          </li>
        ))}
      </ol>
    </section>
  )
}
