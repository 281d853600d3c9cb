/** The evening's plan from a table: looked at first, then taken as a whole or not at all. */
import { dayOf } from '../../parts/clock'
import { useQueryClient } from '@tanstack/react-query'
import { Button, Input } from 'antd'
import { useState } from 'react'

import { api, get, type Schemas } from '../../api/client'
import { texts, useTexts } from '../../i18n'
import { when } from './kinds'
import { Outcome, useAct } from './parts'

const TEXT = texts(
  {
    title: '从表格导入', about: '从电子表格里选中连同表头一起粘贴，或选一个 CSV 文件。表头：开播时间、直播间、结束时间、主播、商品、备注', day: '哪一天', file: '选文件', look: '先看看', take: '导入', paste: '粘贴到这里',
    would: '会新建或改 {n} 行，{m} 行不变', took: '已导入：新建或改 {n} 行，{m} 行不变',
  },
  {
    title: 'From a table', about: 'Paste rows of a spreadsheet with their headings, or choose a CSV file. Headings: starts, room, ends, host, products, note', day: 'Which day', file: 'Choose a file', look: 'Look first', take: 'Take it', paste: 'Paste here',
    would: '{n} {n:line|lines} would be made or changed, {m} {m:stays|stay}', took: 'Taken: {n} {n:line|lines} made or changed, {m} {m:stays|stay}',
  },
)

const today = () => dayOf(Date.now())

export function PlanTable() {
  const t = useTexts(TEXT)
  const client = useQueryClient()
  const { busy, said, fault, act } = useAct()
  const [table, setTable] = useState('')
  const [day, setDay] = useState(today)
  const [seen, setSeen] = useState<Schemas['PlanTaken'] | null>(null)
  const send = async (dry: boolean) => {
    const found = await get(api.POST('/api/v1/plan', { params: { query: dry ? { dry_run: true } : {} }, body: { table, day: day || null } }))
    setSeen(dry ? found : null)
    const counted = { n: Object.keys(found.changed).length, m: found.unchanged }
    if (dry) return t('would', counted)
    await client.invalidateQueries({ queryKey: ['records', 'slot'] })
    setTable('')
    return t('took', counted)
  }
  const change = (next: string) => {
    setTable(next)
    setSeen(null)
  }
  return (
    <section className="extra plan">
      <h2 className="title">{t('title')}</h2>
      <p className="meta">{t('about')}</p>
      <Input.TextArea className="code" aria-label={t('paste')} placeholder={t('paste')} value={table} rows={8} onChange={(event) => change(event.target.value)} />
      <div className="try">
        <label className="small">{t('day')} <input type="date" className="native" value={day} onChange={(event) => setDay(event.target.value)} /></label>
        <label className="small">{t('file')} <input type="file" accept=".csv,.tsv,.txt,text/csv" onChange={(event) => {
          const file = event.target.files?.[0]
          if (file) void readAs(file).then(change)
        }} /></label>
      </div>
      <div className="try">
        <Button disabled={busy || !table.trim()} onClick={() => void act(() => send(true))}>{t('look')}</Button>
        <Button disabled={busy || !seen} onClick={() => void act(() => send(false))}>{t('take')}</Button>
      </div>
      <Outcome said={said} fault={fault} />
      {seen && <ul className="small">{Object.entries(seen.changed).slice(0, 50).map(([id, slot]) => <li key={id}>{when(slot.starts)} {slot.room} <span className="meta">{[slot.host, slot.note].filter(Boolean).join(' · ')}</span></li>)}</ul>}
    </section>
  )
}

/** UTF-8, or GB 18030 as spreadsheets here write it. */
async function readAs(file: File): Promise<string> {
  const bytes = await file.arrayBuffer()
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('gb18030').decode(bytes)
  }
}
