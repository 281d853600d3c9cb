import { useState } from 'react'

import { api, get, Refusal, told } from '../../api/client'
import { useTexts } from '../../i18n'
import { dayAndTime, fieldTime } from '../../parts/clock'
import { useRefresh, type FileView } from './data'
import { TEXT } from './text'

/** From the newest saved version to the judges: now or at a time, with a second question where there is a reason. */
export function Publish({ file, path, good }: { file: FileView; path: string; good: boolean }) {
  const t = useTexts(TEXT)
  const refresh = useRefresh(path)
  const [later, setLater] = useState<string | null>(null)
  const [asking, setAsking] = useState<{ number: number; typed: string } | null>(null)
  const [said, setSaid] = useState('')
  const newest = file.editions[0]
  const waiting = file.releases.find((each) => each.state === 'waiting')
  const ready = good && newest !== undefined && newest.version !== file.version && !newest.failed
  const send = async (confirm: number | null) => {
    if (!newest) return
    setSaid('')
    try {
      const at = later === null ? null : new Date(later).getTime()
      const done = await get(api.POST('/api/v1/rules/publish', { body: { path, version: newest.version, at, confirm } }))
      await refresh()
      setAsking(null)
      setLater(null)
      if (done.state === 'done') setSaid(t('published', { v: done.version, t: dayAndTime(done.done_at ?? done.at) })) // what waits is said beside
    } catch (error) {
      if (error instanceof Refusal && error.details.why === 'confirm')
        setAsking({ number: Number(error.details.confirm ?? 0), typed: '' })
      else setSaid(t('trouble', { why: told(error) }))
    }
  }
  const past = later !== null && !(new Date(later).getTime() > Date.now()) // an empty field, too
  const callOff = async () => {
    try {
      await get(api.POST('/api/v1/rules/cancel', { body: { release: waiting?.id ?? 0 } }))
      await refresh()
      setSaid(t('calledOff'))
    } catch (error) {
      setSaid(t('trouble', { why: told(error) }))
    }
  }
  if (asking)
    return (
      <form className="asking" onSubmit={(event) => {
        event.preventDefault()
        void send(Number(asking.typed))
      }}>
        <label className="small" htmlFor="confirm">{asking.number ? t('confirmOver', { n: asking.number }) : t('confirmUntried')}</label>
        <input id="confirm" className="confirm" inputMode="numeric" autoFocus autoComplete="off" value={asking.typed} onChange={(event) => setAsking({ ...asking, typed: event.target.value })} />
        <button type="submit" className="act" disabled={asking.typed.trim() !== String(asking.number)}>{t('go')}</button>
        <button type="button" className="plain" onClick={() => setAsking(null)}>{t('cancel')}</button>
      </form>
    )
  return (
    <>
      <button type="button" className="act" disabled={!ready || past} title={newest?.failed ? t('casesFail') : past ? t('past') : ''} onClick={() => void send(null)}>{later === null ? t('publishNow') : t('publishAt')}{newest && ready && ` ${newest.version}`}</button>
      {later === null
        ? <button type="button" className="plain" disabled={!ready} onClick={() => setLater(soon())}>{t('publishAt')}</button>
        : (
          <>
            <input type="datetime-local" className="bench-note when" value={later} aria-label={t('at')} onChange={(event) => setLater(event.target.value)} />
            <button type="button" className="plain" onClick={() => setLater(null)}>{t('cancel')}</button>
          </>
        )}
      {waiting && <button type="button" className="plain" onClick={() => void callOff()}>{t('callOff')}</button>}
      {newest !== undefined && newest.failed! > 0 && <span className="small">{t('casesFail')}</span>}
      {said && <span role="status" className="small">{said}</span>}
    </>
  )
}

/** The next full hour, where the reader is. */
function soon(): string {
  const at = new Date(Date.now() + 3_600_000)
  at.setMinutes(0, 0, 0)
  return fieldTime(at.getTime())
}
