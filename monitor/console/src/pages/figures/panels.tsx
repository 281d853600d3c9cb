/** One question each: the number first, then what it is made of. */
import { useId, type ReactNode } from 'react'

import { useLanguage, useTexts } from '../../i18n'
import { LEVEL_OF, severities, type SeverityName } from '../../i18n/words'
import { percent, took, type Figures } from './shape'
import { TEXT } from './text'

export interface Export {
  /** Of /api/v1/exports. */
  list: string
  query: Record<string, string | number | undefined>
}

export function ExportLinks({ list, query, what }: Export & { what: string }) {
  const t = useTexts(TEXT)
  const asked = new URLSearchParams(Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])))
  return (
    <span className="exports">
      {(['csv', 'xlsx'] as const).map((form) => (
        <a key={form} download href={`/api/v1/exports/${list}?${new URLSearchParams([...asked, ['format', form]])}`}
          aria-label={t('exportOf', { what, form: t(form) })}>{t(form)}</a>
      ))}
    </span>
  )
}

export function Panel({ title, exported, wide, children }: { title: string; exported?: Export | undefined; wide?: boolean; children: ReactNode }) {
  const id = useId()
  return (
    <section className={`figure${wide ? ' wide' : ''}`} aria-labelledby={id}>
      <header><h2 id={id} className="small">{title}</h2>{exported && <ExportLinks {...exported} what={title} />}</header>
      {children}
    </section>
  )
}

export function Big({ value, unit, before }: { value: string | number; unit: string; before?: string | undefined }) {
  const t = useTexts(TEXT)
  return <p className="big"><span className="number">{value}</span> {unit}{before !== undefined && <span className="meta"> {t('before', { n: before })}</span>}</p>
}

export function SeverityChip({ name }: { name: string }) {
  const say = useTexts(severities)
  const known = name as SeverityName
  return <span className={`chip sev sev-${LEVEL_OF[known]}`}>{LEVEL_OF[known]} {say(known)}</span>
}

/** Half and nineteen in twenty, of all and of each severity, on one scale. */
export function Waits({ spreads, before }: { spreads: Figures['claim']; before: Figures['claim'] | undefined }) {
  const t = useTexts(TEXT)
  const { language } = useLanguage()
  const [all] = spreads
  if (!all) return <p className="none">{t('nothing')}</p>
  const longest = Math.max(...spreads.map((each) => each.p95_s), 1)
  const was = before?.[0]
  return (
    <>
      <p className="big">{t('half')} <span className="number">{took(all.p50_s, language)}</span>　{t('most')} <span className="number">{took(all.p95_s, language)}</span>
        {was && <span className="meta"> {t('before', { n: `${took(was.p50_s, language)} / ${took(was.p95_s, language)}` })}</span>}</p>
      <table className="bars">
        <thead><tr><th>{t('level')}</th><th>{t('halfShort')} – {t('mostShort')}</th><th>{t('halfShort')}</th><th>{t('mostShort')}</th><th>{t('arrived')}</th></tr></thead>
        <tbody>
          {spreads.slice(1).map((each) => (
            <tr key={each.severity}>
              <th scope="row"><SeverityChip name={each.severity} /></th>
              <td className="scale"><i style={{ left: `${(100 * each.p50_s) / longest}%`, width: `${Math.max(0.5, (100 * (each.p95_s - each.p50_s)) / longest)}%` }} /><span className="hidden">–</span></td>
              <td>{took(each.p50_s, language)}</td><td>{took(each.p95_s, language)}</td><td className="meta">{each.alerts}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

export function Waiting({ backlog, now }: { backlog: Figures['backlog']; now: number }) {
  const t = useTexts(TEXT)
  const { language } = useLanguage()
  if (backlog.length === 0) return <p className="none">{t('noBacklog')}</p>
  const oldest = Math.min(...backlog.map((each) => each.oldest_at))
  const most = Math.max(...backlog.flatMap((each) => each.ages))
  return (
    <>
      <p className="big"><span className="number">{backlog.reduce((sum, each) => sum + each.alerts, 0)}</span> {t('waiting')} · {t('oldest', { t: took(Math.max(0, Math.round((now - oldest) / 1000)), language) })}</p>
      <table className="ages">
        <thead><tr><th>{t('level')}</th>{([0, 1, 2, 3, 4] as const).map((n) => <th key={n}>{t(`age${n}`)}</th>)}</tr></thead>
        <tbody>
          {backlog.map((each) => (
            <tr key={each.severity}>
              <th scope="row"><SeverityChip name={each.severity} /></th>
              {each.ages.map((many, n) => <td key={n}><i style={{ width: `${(100 * many) / most}%` }} />{many || <span className="meta">0</span>}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

export function Shares({ rules, all, onAll }: { rules: Figures['rules']; all: boolean; onAll: (all: boolean) => void }) {
  const t = useTexts(TEXT)
  const ruled = rules.filter((each) => each.decided > 0)
  if (ruled.length === 0) return <p className="none">{t('nothing')}</p>
  const decided = ruled.reduce((sum, each) => sum + each.decided, 0)
  const violations = ruled.reduce((sum, each) => sum + each.violations, 0)
  return (
    <>
      <p className="big"><span className="number">{percent(violations, decided)}</span> {t('sharesNumber', { n: decided, p: violations })}</p>
      <table className="bars shares">
        <thead><tr><th>{t('rule')}</th><th colSpan={2}>{t('share')}</th><th>{t('decided')}</th></tr></thead>
        <tbody>
          {ruled.slice(0, all ? undefined : FIRST).map((each) => (
            <tr key={each.rule} className={each.decided < FEW ? 'few' : undefined}>
              <th scope="row" className="one-line" title={each.rule}>{each.title || each.rule}</th>
              <td className="scale"><i style={{ width: `${(100 * each.violations) / each.decided}%` }} /><span className="hidden">{each.violations}</span></td>
              <td>{percent(each.violations, each.decided)}</td><td className="meta">n={each.decided}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {ruled.length > FIRST && <button type="button" className="plain" onClick={() => onAll(!all)}>{all ? t('fewer', { n: FIRST }) : t('more', { n: ruled.length - FIRST })}</button>}
    </>
  )
}
const FIRST = 10
/** Below so many decisions a share says little, and is shown in grey. */
const FEW = 10
