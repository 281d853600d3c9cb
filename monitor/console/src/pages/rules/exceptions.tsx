import { useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'

import { api, get, serviceNow, told } from '../../api/client'
import { useTexts } from '../../i18n'
import { dayAndTime, dayOf } from '../../parts/clock'
import { useRecords, useRooms } from '../../api/records'
import { TEXT } from './text'

interface Waiver {
  rule: string
  wording: string
  room?: string
  product?: string
  proof: string
  by?: string
  ends: number
}

const MONTH_MS = 30 * 86_400_000

/** Wordings that are allowed in a room, or of a product, by a proof and for a time. */
export function ExceptionsPanel({ rule }: { rule: string }) {
  const t = useTexts(TEXT)
  const client = useQueryClient()
  const rooms = useRooms()
  const products = useRecords('product') ?? []
  const [asked, setAsked] = useState({ wording: '', room: '', product: '', proof: '', ends: dayOf(serviceNow() + MONTH_MS) })
  const [said, setSaid] = useState('')
  const found = (useRecords('exception') ?? []).map((each) => ({ id: each.id, of: each.record as unknown as Waiver })).filter(({ of }) => of.rule === rule)
  const change = async (id: string, record: Waiver | null) => {
    try {
      const path = { kind: 'exception', id }
      if (record) await get(api.PUT('/api/v1/records/{kind}/{id}', { params: { path }, body: record as unknown as Record<string, never> }))
      else await get(api.DELETE('/api/v1/records/{kind}/{id}', { params: { path } }))
      setSaid('')
      if (record) setAsked({ ...asked, wording: '', proof: '' })
      await client.invalidateQueries({ queryKey: ['records', 'exception'] })
    } catch (error) {
      setSaid(t('trouble', { why: told(error) }))
    }
  }
  const ready = asked.wording.trim() && asked.proof.trim() && (asked.room.trim() || asked.product.trim()) && asked.ends
  return (
    <div className="exceptions">
      <p className="meta">{t('exceptionHint')}</p>
      <form onSubmit={(event: FormEvent) => {
        event.preventDefault()
        const { ends, ...rest } = asked
        if (ready) void change(`x${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`, { rule, ...rest, ends: new Date(`${ends}T23:59:59`).getTime() })
      }}>
        {(['wording', 'room', 'product', 'proof'] as const).map((name) => (
          <label key={name} className="small">{t(name === 'proof' ? 'proofNo' : name)}<input value={asked[name]} maxLength={name === 'wording' ? 500 : 128} list={name === 'room' || name === 'product' ? `exception-${name}s` : undefined}
            onChange={(event) => setAsked({ ...asked, [name]: event.target.value })} /></label>
        ))}
        <label className="small">{t('ends')}<input type="date" value={asked.ends} onChange={(event) => setAsked({ ...asked, ends: event.target.value })} /></label>
        <datalist id="exception-rooms">{[...rooms].map(([id, each]) => <option key={id} value={id}>{each.title ?? id}</option>)}</datalist>
        <datalist id="exception-products">{products.map((each) => <option key={each.id} value={each.id}>{String((each.record as { title?: string }).title ?? each.id)}</option>)}</datalist>
        <button type="submit" className="act" disabled={!ready}>{t('add')}</button>
      </form>
      {said && <p role="alert" className="small">{said}</p>}
      {!found.length && <p className="meta">{t('noExceptions')}</p>}
      <ul>
        {found.map(({ id, of }) => (
          <li key={id} className={of.ends < serviceNow() ? 'over' : ''}>
            <strong lang="zh-CN">{of.wording}</strong> <span>{of.room ? (rooms.get(of.room)?.title ?? of.room) : of.product}</span>
            <span className="meta">{t('proofNo')} {of.proof} · {t('until', { t: dayAndTime(of.ends) })}{of.by && ` · ${of.by}`}{of.ends < serviceNow() && ` · ${t('over2')}`}</span>
            <button type="button" className="plain" aria-label={`${t('remove')} ${of.wording}`} onClick={() => void change(id, null)}>{t('remove')}</button>
          </li>
        ))}
      </ul>
    </div>
  )
}

