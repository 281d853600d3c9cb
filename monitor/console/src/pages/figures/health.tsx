import { dayOf } from '../../parts/clock'
import { useTexts } from '../../i18n'
import { ExportLinks } from './panels'
import { type Figures } from './shape'
import { TEXT } from './text'


export function RuleHealth({ health }: { health: NonNullable<Figures['health']> }) {
  const t = useTexts(TEXT)
  const silent = Object.entries(health.silent)
  const lacking = Object.entries(health.not_evaluated)
  return (
    <>
      <p className="big"><span className="number">{health.active}</span> {t('rulesUnit', { n: health.active ?? 0 })}</p>
      <p className="small">{lacking.length ? lacking.map(([why, n]) => t('notEvaluated', { n, why: why === 'no_model' ? t('no_model') : why })).join('；') : t('allEvaluated')}</p>
      <details className="small">
        <summary>{t('silent', { n: silent.length })}</summary>
        <ul className="silent">
          {silent.map(([rule, at]) => <li key={rule}><code>{rule}</code><span className="meta">{at ? t('last', { t: dayOf(at) }) : t('never')}</span></li>)}
        </ul>
      </details>
    </>
  )
}

export function ModelHealth({ model }: { model: NonNullable<Figures['model']> }) {
  const t = useTexts(TEXT)
  return (
    <>
      <p className="big"><span className="number">{model.macro_f1 == null ? '–' : model.macro_f1.toFixed(3)}</span> {t('f1')}</p>
      <dl className="pairs small">
        <dt>{t('serving')}</dt><dd>{model.serving || t('none')}{model.learnt_at > 0 && <span className="meta"> {t('learnt', { t: dayOf(model.learnt_at) })}</span>}</dd>
        <dt>{t('shadow')}</dt><dd>{model.shadow || t('none')}</dd>
      </dl>
    </>
  )
}

export function Ledgers({ query }: { query: Record<string, string | number | undefined> }) {
  const t = useTexts(TEXT)
  return (
    <dl className="pairs small">
      {(['corrections', 'comments'] as const).map((name) => (
        <div key={name}><dt>{t(name)} <ExportLinks list={name} query={query} what={t(name)} /></dt><dd className="meta">{t(`${name}About`)}</dd></div>
      ))}
    </dl>
  )
}
