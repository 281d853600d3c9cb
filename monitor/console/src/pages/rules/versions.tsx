import { useMemo, useState } from 'react'

import { api, get, told } from '../../api/client'
import { useTexts } from '../../i18n'
import { dayAndTime } from '../../parts/clock'
import { difference, folded } from '../../parts/diff'
import { useFile, useRefresh, type FileView } from './data'
import { TEXT } from './text'

/** Every version with who and when; what differs from the text in the editor; the way back in one stroke. */
export function VersionsPanel({ file, text, onTake }: { file: FileView; text: string; onTake: (text: string) => void }) {
  const t = useTexts(TEXT)
  const refresh = useRefresh(file.path)
  const [against, setAgainst] = useState(file.version ?? 0)
  const [said, setSaid] = useState('')
  const name = (version: number) => (version ? t('version', { v: version }) : t('folderShort'))
  const judged = new Set(file.releases.filter((each) => each.state === 'done').map((each) => each.version))
  const back = async (version: number) => {
    try {
      await get(api.POST('/api/v1/rules/publish', { body: { path: file.path, version, at: null, confirm: null } }))
      await refresh()
      setSaid(t('rolledBack', { v: name(version) }))
    } catch (error) {
      setSaid(t('trouble', { why: told(error) }))
    }
  }
  const rows = [...file.editions, ...(file.loaded || file.version === 0 ? [null] : [])]
  const refused = file.releases.find((each) => each.state === 'refused')
  return (
    <div className="rule-versions">
      <ul>
        {rows.map((edition) => {
          const version = edition?.version ?? 0
          return (
            <li key={version}>
              <button type="button" className="plain" aria-pressed={against === version} onClick={() => setAgainst(version)}>{name(version)}</button>{' '}
              {version === file.version && file.loaded && <span className="chip inverse">{t('inForce')}</span>}
              {version !== file.version && (version === 0 || judged.has(version)) && <button type="button" className="plain link" onClick={() => void back(version)}>{t('restore')}</button>}
              {edition && <p className="meta">{t('by', { who: edition.by, t: dayAndTime(edition.at) })} · {t('cases')} {(edition.cases ?? 0) - (edition.failed ?? 0)}/{edition.cases ?? 0}{edition.note && ` · ${edition.note}`}</p>}
            </li>
          )
        })}
      </ul>
      <div>
        {said && <p role="status" className="small">{said}</p>}
        {refused && <p role="alert" className="small">{name(refused.version)} {t('refused')}：{refused.fault}</p>}
        {!file.editions.length && <p className="meta">{t('noVersions')}</p>}
        <Difference key={against} path={file.path} version={against} text={text} name={name(against)} onTake={onTake} />
      </div>
    </div>
  )
}

function Difference({ path, version, text, name, onTake }: { path: string; version: number; text: string; name: string; onTake: (text: string) => void }) {
  const t = useTexts(TEXT)
  const asked = useFile(path, version)
  const rows = useMemo(() => (asked.data ? folded(difference(asked.data.text.split('\n'), text.split('\n'))) : []), [asked.data, text])
  if (asked.error) return <p className="meta">{t('trouble', { why: told(asked.error) })}</p>
  if (!asked.data) return <p className="meta" role="status">{t('loading')}</p>
  const same = rows.every((row) => row.kind === 'fold')
  return (
    <>
      <p className="small"><strong>{t('against', { v: name })}</strong>{same ? `：${t('same')}` : <> <button type="button" className="plain link" onClick={() => onTake(asked.data.text)}>{t('putInEditor')}</button></>}</p>
      {!same && (
        <ol className="rule-diff">
          {rows.map((row, i) => row.kind === 'fold'
            // oxlint-disable-next-line react/no-array-index-key -- lines have no other name
            ? <li key={i} className="meta">{t('kept', { n: row.n })}</li>
            // oxlint-disable-next-line react/no-array-index-key -- lines have no other name
            : <li key={i} className={row.kind} lang="zh-CN">{row.kind === 'gone' ? '−' : row.kind === 'new' ? '+' : ' '} {row.text}</li>)}
        </ol>
      )}
    </>
  )
}
