/** All records of a kind: found by their words, drawn as far as they are seen. */
import { useVirtualizer } from '@tanstack/react-virtual'
import { Button, Input } from 'antd'
import { useMemo, useRef, useState } from 'react'

import type { Schemas } from '../../api/client'
import { useTexts } from '../../i18n'
import { useCalled } from './called'
import { asTree, DESCRIBED, type Kind, type Values } from './kinds'
import { sections, TEXT } from './text'

export type Stored = Schemas['RecordAnswer']
const ROW = 44

export function RecordList({ kind, records, chosen, mayEdit, onPick, onMake }: {
  kind: Kind
  records: readonly Stored[]
  chosen: string | null
  mayEdit: boolean
  onPick: (id: string) => void
  onMake: () => void
}) {
  const t = useTexts(TEXT)
  const say = useTexts(sections)
  const [asked, setAsked] = useState('')
  const box = useRef<HTMLDivElement>(null)
  const described = DESCRIBED[kind]
  const called = useCalled(kind)
  const rows = useMemo(() => {
    const known = records.map((each) => ({ id: each.id, record: (each.record ?? {}) as Values }))
    const placed = kind === 'unit' && !asked ? asTree(known) : known.map((one) => ({ one, depth: 0 }))
    const wanted = asked.trim().toLowerCase()
    const told = placed.map(({ one, depth }) => ({ id: one.id, depth, name: called(one.id, one.record), about: described.about?.(one.record) ?? '' }))
    const newest = kind === 'slot' || kind === 'shift' ? told.sort((a, b) => (a.name < b.name ? 1 : -1)) : told
    return wanted ? newest.filter((each) => `${each.id} ${each.name} ${each.about}`.toLowerCase().includes(wanted)) : newest
  }, [records, kind, asked, described, called])
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 8, getItemKey: (n) => rows[n]!.id })
  return (
    <section className="records" aria-label={say(kind)}>
      <div className="records-head">
        <h1 className="title">{say(kind)} <span className="meta">{t('count', { n: records.length })}</span></h1>
        {mayEdit && <Button size="small" onClick={onMake}>{t('make')}</Button>}
      </div>
      {records.length > 8 && <Input size="small" allowClear value={asked} placeholder={t('find')} aria-label={t('find')} onChange={(event) => setAsked(event.target.value)} />}
      {rows.length === 0 && <p className="none">{asked ? t('noMatch') : t(mayEdit ? 'empty' : 'emptyRead')}</p>}
      <div ref={box} className="records-box">
        <ul className="records-inner" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index]!
            return (
              <li key={item.key} style={{ transform: `translateY(${item.start}px)` }}>
                <button type="button" className={`record${row.id === chosen ? ' chosen' : ''}`} aria-current={row.id === chosen ? 'true' : undefined} style={{ paddingLeft: 12 + row.depth * 18 }} onClick={() => onPick(row.id)}>
                  <span className="one-line">{row.name}</span>
                  <span className="meta one-line">{row.name === row.id ? row.about : [row.id, row.about].filter(Boolean).join(' · ')}</span>
                </button>
              </li>
            )
          })}
        </ul>
      </div>
    </section>
  )
}
