/** Scripts before air: checked, read line by line, put right, checked again. */
import { useParams, useSearchParams } from 'react-router'

import { useTexts } from '../../i18n'
import './checks.css'
import { Comparison } from './compare'
import { useCheck, useVersions } from './data'
import { NewCheck } from './form'
import { Scripts } from './list'
import { Review } from './review'
import { TEXT } from './text'

export default function Checks() {
  const { id } = useParams()
  const [params] = useSearchParams()
  const version = Number(params.get('version')) || null
  return (
    <main className="checks">
      <Scripts chosen={id} shown={version} />
      {id ? <One key={id} id={id} version={version} other={Number(params.get('with')) || null} /> : <NewCheck />}
    </main>
  )
}

function One({ id, version, other }: { id: string; version: number | null; other: number | null }) {
  const t = useTexts(TEXT)
  const asked = useCheck(id, version)
  const versions = useVersions(id)
  if (asked.error) return <p className="empty" role="alert">{t('notFound')} <button type="button" className="plain" onClick={() => void asked.refetch()}>{t('again')}</button></p>
  if (!asked.data) return <p className="empty" role="status">{t('loading')}</p>
  if (other) return <Comparison after={asked.data} before={other} />
  return <Review key={asked.data.summary.version} check={asked.data} versions={versions} />
}
