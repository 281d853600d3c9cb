import { Button } from 'antd'
import { useMemo, useState } from 'react'
import { Link, useNavigate } from 'react-router'

import { told } from '../../api/client'
import { useSession } from '../../api/session'
import { useTexts } from '../../i18n'
import { useKeys } from '../../keys'
import { dayAndTime } from '../../parts/clock'
import { rememberedOf, useChecking, type Check, type Finding, type Summary } from './data'
import { Detail } from './detail'
import { changed, isMasked, linesBefore, offersFor, scriptOf, type Draft, type Offer } from './draft'
import { Lines } from './lines'
import { Result } from './list'
import { rowsOf, stopsOf } from './stops'
import { TEXT } from './text'

/** One version: read by `j` and `k`, put right in place, checked again as the next one. */
export function Review({ check, versions }: { check: Check; versions: readonly Summary[] }) {
  const t = useTexts(TEXT)
  const { may } = useSession()
  const sent = rememberedOf(check.summary)
  const all = useMemo(() => rowsOf(check), [check])
  const stops = useMemo(() => stopsOf(check), [check])
  const clauses = useMemo(() => new Map(check.clauses.map((each) => [each.id, each])), [check])
  const [at, setAt] = useState(stops.length ? 0 : -1)
  const [onlyFound, setOnly] = useState(false)
  const [draft, setDraft] = useState<Draft>(new Map())
  const [editing, setEditing] = useState<number | null>(null)
  const rows = useMemo(() => (onlyFound ? all.filter((row) => row.kind !== 'line' || row.findings.length > 0) : all), [all, onlyFound])
  const again = useAgain(check, draft)
  const stop = stops[at]
  const textOf = useMemo(() => linesBefore(check, sent), [check, sent])
  const change = (line: number, text: string) => setDraft((before) => changed(before, line, text, textOf(line)))
  const take = (line: number, offer: Offer) => change(line, (draft.get(line) ?? textOf(line)).replaceAll(offer.from, () => offer.to))
  const offers = stop?.line && may('plan') ? offersFor(stop.finding, draft.get(stop.line) ?? textOf(stop.line)) : []
  const pick = (finding: Finding) => setAt(stops.findIndex((each) => each.finding === finding))
  const step = (by: number) => setAt((now) => Math.max(0, Math.min(stops.length - 1, now + by)))
  useKeys({
    nextFinding: () => step(1), previousFinding: () => step(-1), onlyFound: () => setOnly((only) => !only),
    takeRewrite: () => void (stop && offers[0] && take(stop.line, offers[0])),
    editLine: () => void (stop?.line && may('plan') && setEditing(stop.line)),
    checkAgain: () => void again.run(),
  }, ['checks'])
  return (
    <>
      <section className="check" aria-label={t('list')}>
        <Head check={check} versions={versions} onlyFound={onlyFound} onOnly={() => setOnly((only) => !only)} />
        <Lines rows={rows} clauses={clauses} stop={stop} draft={draft} editing={editing} may={may('plan')} textOf={textOf}
          onPick={pick} onOffer={take} onEdit={setEditing} onChange={change} />
        <footer className="check-bar" aria-label={t('recheck', { v: next(versions, check) })}>
          {draft.size > 0
            ? (
              <>
                <span>{t('changes', { n: draft.size })}</span>
                <Button onClick={() => void again.run()} disabled={again.busy}><kbd>C</kbd> {again.busy ? t('checking') : t('recheck', { v: next(versions, check) })}</Button>
                <Button onClick={() => setDraft(new Map())}>{t('drop')}</Button>
                {isMasked(check, sent) && <span className="small">{t('masked')}</span>}
              </>
            )
            : <span className="meta">{t('keys')}</span>}
          {again.trouble && <span role="alert">{t('trouble', { why: again.trouble })}</span>}
        </footer>
      </section>
      <Detail stop={stop} at={at} of={stops.length} clauses={clauses} offers={offers} onOffer={take} />
    </>
  )
}

const next = (versions: readonly Summary[], check: Check) => (versions[0]?.version ?? check.summary.version) + 1

function useAgain(check: Check, draft: Draft) {
  const send = useChecking()
  const navigate = useNavigate()
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState('')
  const run = async () => {
    if (busy || !draft.size) return
    setBusy(true)
    setTrouble('')
    try {
      const { name, room } = check.summary
      await send({ name, room, script: scriptOf(check, rememberedOf(check.summary), draft) })
      void navigate(`/checks/${check.summary.id}`)
    } catch (error) {
      setTrouble(told(error))
    } finally {
      setBusy(false)
    }
  }
  return { busy, trouble, run }
}

function Head({ check, versions, onlyFound, onOnly }: { check: Check; versions: readonly Summary[]; onlyFound: boolean; onOnly: () => void }) {
  const t = useTexts(TEXT)
  const { summary } = check
  const latest = versions[0]?.version ?? summary.version
  const before = versions.find((each) => each.version === summary.version - 1)
  return (
    <header className="check-head">
      <h1 className="title one-line">{summary.name}</h1>
      <Result of={summary} />
      {before && <span className="small">{t('before', { n: before.findings })}</span>}
      <button type="button" className="plain small" aria-pressed={onlyFound} onClick={onOnly}><kbd>F</kbd> {onlyFound ? t('allLines') : t('onlyFound')}</button>
      <p className="meta check-facts">
        {t('version', { v: summary.version })} · {summary.by} · {dayAndTime(summary.at)} · {t('lines', { n: summary.lines })}{summary.room && ` · ${summary.room}`} · {t('engine', { id: summary.engine_set.slice(0, 12) })}
        {before && <> · <Link to={`/checks/${summary.id}?version=${summary.version}&with=${before.version}`}>{t('difference', { v: before.version })}</Link></>}
      </p>
      {latest > summary.version && <p className="small check-facts" role="status">{t('stale', { v: summary.version, n: latest })} <Link to={`/checks/${summary.id}`}>{t('latest')}</Link></p>}
    </header>
  )
}
