/** The rules workbench: edited, tried, run over what was said, published, and taken back. */
import { useState } from 'react'
import { useParams } from 'react-router'

import { Refusal } from '../../api/client'
import { useTexts } from '../../i18n'
import { Bench } from './bench'
import { useFile, useRules, type RuleRow } from './data'
import { RuleList } from './list'
import { blank, pathOf } from './order'
import './rules.css'
import { TEXT } from './text'

export default function Rules() {
  const t = useTexts(TEXT)
  const { id } = useParams()
  const asked = useRules()
  const path = id === undefined ? null : pathOf(id, asked.data?.rules ?? [])
  const rule = path === null ? undefined : asked.data?.rules.find((each) => each.id === id || each.path === path)
  return (
    <main className="rules">
      <RuleList chosen={id} />
      {path ? <One key={path} path={path} rule={rule} /> : <p className="empty">{id && asked.isPending ? t('loading') : id && !asked.isPending ? t('noMatch') : t('pick')}</p>}
    </main>
  )
}

function One({ path, rule }: { path: string; rule: RuleRow | undefined }) {
  const t = useTexts(TEXT)
  const { data, error, refetch } = useFile(path)
  const missing = error instanceof Refusal && error.status === 404
  const [isNew, setNew] = useState(false) // while what was just saved is read, the bench stays with what it says
  if (missing && !isNew) setNew(true)
  if (error && !missing) return <p className="empty" role="alert">{error.message} <button type="button" className="plain" onClick={() => void refetch()}>{t('again')}</button></p>
  if (!data && !missing && !isNew) return <p className="empty" role="status">{t('loading')}</p>
  return <Bench path={path} file={data ?? null} rule={rule} fresh={blank(path)} />
}
