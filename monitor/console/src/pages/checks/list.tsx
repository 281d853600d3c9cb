import { Link } from 'react-router'

import { useTexts } from '../../i18n'
import { LEVEL_OF, type SeverityName } from '../../i18n/words'
import { dayAndTime } from '../../parts/clock'
import { useScripts, useVersions, type Summary } from './data'
import { TEXT } from './text'

export function Scripts({ chosen, shown }: { chosen: string | undefined; shown: number | null }) {
  const t = useTexts(TEXT)
  const { scripts, isPending, error, refetch, hasNextPage, fetchNextPage } = useScripts()
  return (
    <nav className="scripts" aria-label={t('scripts')}>
      <Link className={`script fresh${chosen ? '' : ' chosen'}`} to="/checks">＋ {t('fresh')}</Link>
      {error && <p className="empty" role="alert">{error.message} <button type="button" className="plain" onClick={() => void refetch()}>{t('again')}</button></p>}
      {!isPending && !error && !scripts.length && <p className="empty"><strong>{t('none')}</strong><br />{t('noneHint')}</p>}
      <ul>
        {scripts.map((each) => (
          <li key={each.id}>
            <Link className={`script${each.id === chosen ? ' chosen' : ''}`} to={`/checks/${each.id}`}>
              <span className="one-line script-name">{each.name}</span>
              <Result of={each} />
              <span className="meta one-line">{t('version', { v: each.version })} · {each.by} · {dayAndTime(each.at)}</span>
            </Link>
            {each.id === chosen && <Versions of={each} shown={shown ?? each.version} />}
          </li>
        ))}
      </ul>
      {hasNextPage && <button type="button" className="plain" onClick={() => void fetchNextPage()}>{t('more')}</button>}
    </nav>
  )
}

export function Result({ of }: { of: Summary }) {
  const t = useTexts(TEXT)
  if (!of.findings) return <span className="chip">{t('clean')}</span>
  const level = LEVEL_OF[of.worst as SeverityName]
  return <span className={`chip sev sev-${level}`}>{level} · {t('findings', { n: of.findings })}</span>
}

function Versions({ of, shown }: { of: Summary; shown: number }) {
  const t = useTexts(TEXT)
  const versions = useVersions(of.id)
  if (versions.length < 2) return null
  return (
    <ul className="versions" aria-label={t('versions')}>
      {versions.map((each, i) => {
        const before = versions[i + 1]
        return (
          <li key={each.version} className="meta">
            <Link to={`/checks/${of.id}?version=${each.version}`} {...(each.version === shown ? { 'aria-current': 'true' as const } : {})}>{t('version', { v: each.version })}</Link>
            <span className="one-line">{each.by} · {dayAndTime(each.at)} · {each.findings ? t('findings', { n: each.findings }) : t('clean')}</span>
            {before && <Link to={`/checks/${of.id}?version=${each.version}&with=${before.version}`}>{t('difference', { v: before.version })}</Link>}
          </li>
        )
      })}
    </ul>
  )
}
