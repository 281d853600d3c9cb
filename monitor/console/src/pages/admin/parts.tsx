/** What several parts of administration share. */
import { Button } from 'antd'
import { useEffect, useState, type ReactNode } from 'react'

import { told } from '../../api/client'
import { useTexts } from '../../i18n'
import { TEXT } from './text'


/** Done by a second click, in place of a dialog; the first one is forgotten after four seconds. */
export function Twice({ children, sure, onDo, disabled, danger }: { children: ReactNode; sure: string; onDo: () => void; disabled?: boolean; danger?: boolean }) {
  const t = useTexts(TEXT)
  const [armed, setArmed] = useState(false)
  useEffect(() => {
    if (!armed) return
    const timer = setTimeout(() => setArmed(false), 4_000)
    return () => clearTimeout(timer)
  }, [armed])
  return (
    <Button disabled={disabled ?? false} title={armed ? t('sure') : undefined} className={armed && danger ? 'armed' : ''} onClick={() => {
      setArmed(!armed)
      if (armed) onDo()
    }}>{armed ? sure : children}</Button>
  )
}

/** One act at a time, with what came of it. */
export function useAct(): { busy: boolean; said: string; fault: string; act: (work: () => Promise<string | void>) => Promise<void> } {
  const [busy, setBusy] = useState(false)
  const [said, setSaid] = useState('')
  const [fault, setFault] = useState('')
  const act = async (work: () => Promise<string | void>) => {
    setBusy(true)
    setFault('')
    setSaid('')
    try {
      setSaid((await work()) ?? '')
    } catch (error) {
      setFault(told(error))
    } finally {
      setBusy(false)
    }
  }
  return { busy, said, fault, act }
}

export function Outcome({ said, fault }: { said: string; fault: string }) {
  return <><span role="status" className="small">{said}</span>{fault && <p role="alert" className="fault">{fault}</p>}</>
}

export function Waiting({ error, again }: { error: Error | null; again: () => void }) {
  const t = useTexts(TEXT)
  return error
    ? <p className="empty" role="alert">{told(error)} <button type="button" className="plain" onClick={again}>{t('again')}</button></p>
    : <p className="empty" role="status">{t('loading')}</p>
}
