import { told, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n'
import { LEVEL_OF, outcomes, type SeverityName } from '../../i18n/words'
import { dayAndTime } from '../../parts/clock'
import { Marked } from '../../parts/marked'
import { useShadow, type RuleRow } from './data'
import { activated, alone, daysOf } from './shadowed'
import { TEXT } from './text'

type Trial = Schemas['ShadowTrial']

/** What a rule in the shadow would have found, and what others made of it; the way out of the shadow. */
export function ShadowPanel({ rule, text, onTake }: { rule: RuleRow; text: string; onTake: (text: string) => void }) {
  const t = useTexts(TEXT)
  const asked = useShadow(rule.id)
  const active = activated(text)
  if (asked.error) return <p role="alert">{t('trouble', { why: told(asked.error) })} <button type="button" className="plain" onClick={() => void asked.refetch()}>{t('again')}</button></p>
  if (!asked.data) return <p className="meta" role="status">{t('loading')}</p>
  const trial = asked.data
  return (
    <div className="shadow">
      <div>
        <p className="dry-rate"><span className="number">{trial.findings}</span> <span className="small">{t('shadowFound')}</span></p>
        <p className="meta">{trial.since === null ? t('shadowNotYet') : t('shadowSince', { t: dayAndTime(trial.since) })}</p>
        {trial.looked_at > 0 && <Beside of={trial} />}
        <p><button type="button" className="act" disabled={active === null} onClick={() => active !== null && onTake(active)}>{t('shadowOut')}</button></p>
        <p className="meta">{t('shadowHint')}</p>
        <Days of={trial} />
      </div>
      {trial.hits.length ? <Hits of={trial} level={LEVEL_OF[rule.severity as SeverityName]} /> : <p className="meta">{t('shadowNone')}</p>}
    </div>
  )
}

function Beside({ of }: { of: Trial }) {
  const t = useTexts(TEXT)
  const rows = [
    [t('shadowRooms'), of.rooms], [t('shadowAlone'), alone(of)], [t('shadowBeside'), of.with_alert],
    [t('shadowBad'), of.violations], [t('shadowOther'), of.otherwise],
  ] as const
  return (
    <table className="small shadow-facts">
      <caption className="meta">{t('shadowOf', { n: of.looked_at })}</caption>
      <tbody>{rows.map(([name, n]) => <tr key={name}><th scope="row">{name}</th><td>{n}</td></tr>)}</tbody>
    </table>
  )
}

function Days({ of }: { of: Trial }) {
  const t = useTexts(TEXT)
  const days = daysOf(of.days)
  if (!days.length) return null
  const most = Math.max(...days.map(({ findings }) => findings))
  return (
    <ol className="shadow-days small" aria-label={t('shadowDays')}>
      {days.map(({ day, findings }) => (
        <li key={day}><span className="meta">{day.slice(5)}</span><span className="shadow-bar" style={{ width: `${(100 * findings) / most}%` }} /><span>{findings}</span></li>
      ))}
    </ol>
  )
}

function Hits({ of, level }: { of: Trial; level: number }) {
  const t = useTexts(TEXT)
  const outcome = useTexts(outcomes)
  return (
    <section>
      <h3 className="small"><strong>{t('shadowHits')}</strong> <span className="meta">{t('count', { n: of.hits.length })}</span></h3>
      <ol>
        {of.hits.map((hit) => (
          <li key={hit.id} className="sample">
            <span className="meta">{dayAndTime(hit.at)} {hit.room}</span>
            <span>
              <span lang="zh-CN">{hit.text ? <Marked text={hit.text} markings={hit.spans.map((span) => ({ span: { start: span.start, end: span.end, term: span.term ?? '' }, level }))} /> : t('missing')}</span>
              {hit.alert && <> <span className="chip">{t('shadowAlert')} · {hit.outcome ? outcome(hit.outcome as never) : t('noDecision')}</span></>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
