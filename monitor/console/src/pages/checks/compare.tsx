import { useMemo } from 'react'
import { Link } from 'react-router'

import { useTexts } from '../../i18n'
import { useCheck, type Check } from './data'
import { difference, folded } from '../../parts/diff'
import { TEXT } from './text'

/** What became of the lines from one version to the next; what stayed is folded. */
export function Comparison({ before, after }: { before: number; after: Check }) {
  const t = useTexts(TEXT)
  const { id, version, name } = after.summary
  const asked = useCheck(id, before)
  const rows = useMemo(() => (asked.data ? folded(difference(linesOf(asked.data), linesOf(after))) : []), [asked.data, after])
  return (
    <section className="check" aria-label={t('list')}>
      <header className="check-head">
        <h1 className="title one-line">{name}</h1>
        <span>{t('compare', { a: before, b: version })}</span>
        <Link to={`/checks/${id}?version=${version}`}>{t('close')}</Link>
      </header>
      {asked.error && <p className="empty" role="alert">{t('notFound')}</p>}
      {asked.isPending && <p className="empty" role="status">{t('loading')}</p>}
      {asked.data && rows.every((row) => row.kind === 'fold') && <p className="empty">{t('same')}</p>}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it is scrolled by keys */}
      <ol className="compared" tabIndex={0} aria-label={t('compare', { a: before, b: version })}>
        {rows.map((row, i) => row.kind === 'fold'
          // oxlint-disable-next-line react/no-array-index-key -- lines have no other name
          ? <li key={i} className="meta fold">{t('kept', { n: row.n })}</li>
          // oxlint-disable-next-line react/no-array-index-key -- lines have no other name
          : <li key={i} className={row.kind}><span className="meta">{row.kind === 'gone' ? `− ${t('gone')}` : row.kind === 'new' ? `＋ ${t('came')}` : ''}</span><span lang="zh-CN">{row.text}</span></li>)}
      </ol>
    </section>
  )
}

const linesOf = (check: Check) => check.details.lines.map(({ text }) => text)
