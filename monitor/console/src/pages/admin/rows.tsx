/** Rows of a name and what goes with it, and a point in time. */
import { Button, Input } from 'antd'
import { useState } from 'react'

import { fieldTime } from '../../parts/clock'
import { useTexts } from '../../i18n'
import type { InputOf } from './inputs'
import { TEXT } from './text'

/** As the browser's own input has it, where the reader is. */
export function local(ms: unknown): string {
  return typeof ms === 'number' ? fieldTime(ms) : ''
}

export function Moment({ id, value, onChange, disabled, wrong, label }: InputOf & { label?: string }) {
  return <input id={id} aria-label={label} aria-invalid={wrong} type="datetime-local" className="native" disabled={disabled} value={local(value)}
    onChange={(event) => onChange(event.target.value ? new Date(event.target.value).getTime() : null)} />
}

interface Row {
  name: string
  rest: string
  ends: number | null
}

/** `pairs`: name → text; `papers`: name → number and end. Rows without a name wait here until they have one. */
export function Rows({ id, value, onChange, disabled, shape }: InputOf & { shape: 'pairs' | 'papers' }) {
  const t = useTexts(TEXT)
  const [rows, setRows] = useState<Row[]>(() => Object.entries((value ?? {}) as Record<string, unknown>).map(([name, of]) =>
    typeof of === 'object' && of !== null ? { name, rest: String((of as { number?: string }).number ?? ''), ends: (of as { ends?: number | null }).ends ?? null } : { name, rest: String(of), ends: null }))
  const change = (next: Row[]) => {
    setRows(next)
    onChange(Object.fromEntries(next.filter(({ name }) => name.trim()).map(({ name, rest, ends }) =>
      [name.trim(), shape === 'pairs' ? rest : { ...(rest && { number: rest }), ...(ends !== null && { ends }) }])))
  }
  const put = (n: number, part: Partial<Row>) => change(rows.map((row, m) => (m === n ? { ...row, ...part } : row)))
  return (
    <div className="rows">
      {rows.map((row, n) => (
        <div key={n} className={`row-${shape}`}>
          <Input aria-label={t('name')} placeholder={t('name')} disabled={disabled} value={row.name} onChange={(event) => put(n, { name: event.target.value })} />
          <Input aria-label={t(shape === 'pairs' ? 'value' : 'number')} placeholder={t(shape === 'pairs' ? 'value' : 'number')} disabled={disabled} value={row.rest} onChange={(event) => put(n, { rest: event.target.value })} />
          {shape === 'papers' && <Moment id={`${id}-${n}`} label={t('until')} wrong={false} disabled={disabled} value={row.ends} onChange={(ends) => put(n, { ends: ends as number | null })} />}
          {!disabled && <button type="button" className="plain" aria-label={t('remove')} onClick={() => change(rows.filter((_, m) => m !== n))}>×</button>}
        </div>
      ))}
      {!disabled && <Button id={id} size="small" onClick={() => setRows([...rows, { name: '', rest: '', ends: null }])}>{t('add')}</Button>}
    </div>
  )
}
