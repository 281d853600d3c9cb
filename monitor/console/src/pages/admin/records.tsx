import { useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useCallback, useState } from 'react'

import { useSession } from '../../api/session'
import { useTexts } from '../../i18n'
import { useReading } from '../../api/records'
import { Editor } from './editor'
import { DESCRIBED, type Kind } from './kinds'
import { RecordList } from './list'
import { Waiting } from './parts'
import { PlanTable } from './plan'
import { TEXT } from './text'

const NEW = '+'

export function Records({ kind, chosen, onChoose }: { kind: Kind; chosen: string | null; onChoose: (id: string | null) => void }) {
  const t = useTexts(TEXT)
  const { may } = useSession()
  const client = useQueryClient()
  const reading = useReading(kind)
  const records = reading.data
  const [dirty, setDirty] = useState(false)
  const [wanted, setWanted] = useState<string | null>(null)
  const go = useCallback((id: string | null) => {
    if (dirty) setWanted(id)
    else onChoose(id)
  }, [dirty, onChoose])
  if (!records) return <Waiting error={reading.error} again={() => void reading.refetch()} />
  const stored = records.find((each) => each.id === chosen) ?? null
  return (
    <>
      <RecordList kind={kind} records={records} chosen={chosen} mayEdit={may(DESCRIBED[kind].needs)} onPick={go} onMake={() => go(NEW)} />
      <section className="beside">
        {wanted !== null && (
          <p className="unsaved" role="alert">{t('unsaved')}　
            <Button size="small" onClick={() => {
              setDirty(false)
              setWanted(null)
              onChoose(wanted)
            }}>{t('leave')}</Button> <Button size="small" onClick={() => setWanted(null)}>{t('stay')}</Button></p>
        )}
        {stored || chosen === NEW
          ? <Editor key={`${kind}/${chosen}`} kind={kind} stored={stored} onDirty={setDirty} onDone={(id) => {
            void client.invalidateQueries({ queryKey: ['records', kind] })
            if (id !== chosen) onChoose(id)
          }} />
          : <p className="empty">{t('pick')}</p>}
        {kind === 'slot' && may('plan') && !chosen && <PlanTable />}
      </section>
    </>
  )
}
