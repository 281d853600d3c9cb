/** An input for each type of field. All hold the value as the record has it. */
import { Checkbox, Input, Select } from 'antd'
import { useMemo, useState, type ReactNode } from 'react'

import { useTexts } from '../../i18n'
import { outcomes, SEVERITIES, severities } from '../../i18n/words'
import { useRecords } from '../../api/records'
import { useCalled } from './called'
import type { Field, Kind, Values } from './kinds'
import { Moment, Rows } from './rows'
import { crossings, duties, labels, TEXT } from './text'
import { TreeInput } from './tree'

export interface InputOf {
  id: string
  value: unknown
  onChange: (value: unknown) => void
  disabled: boolean
  wrong: boolean
}

const str = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')
const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])

export function FieldInput({ field, ...of }: InputOf & { field: Field }): ReactNode {
  const { type } = field
  if (typeof type === 'object')
    return 'ref' in type ? <Reference {...of} kind={type.ref} many={type.many ?? false} /> : <Choice {...of} name={'choice' in type ? type.choice : type.choices} />
  const { id, value, onChange, disabled, wrong } = of
  const status = wrong ? ({ status: 'error' } as const) : {}
  switch (type) {
    case 'long': return <Input.TextArea id={id} {...status} value={str(value)} disabled={disabled} rows={3} onChange={(event) => onChange(event.target.value)} />
    case 'secret': return <Input id={id} {...status} value={str(value)} disabled={disabled} autoComplete="off" onChange={(event) => onChange(event.target.value)} />
    case 'number': return <Input id={id} {...status} className="short" inputMode="decimal" value={str(value)} disabled={disabled} onChange={(event) => onChange(numeric(event.target.value))} />
    case 'numbers': return <Words {...of} value={list(value)} onChange={(words) => onChange((words as string[]).map(numeric))} />
    case 'words': return <Words {...of} />
    case 'flag': return <Checkbox id={id} checked={(value ?? field.usual ?? false) === true} disabled={disabled} onChange={(event) => onChange(event.target.checked)} />
    case 'known': return <Known {...of} />
    case 'time': return <Moment {...of} />
    case 'pairs': return <Rows {...of} shape="pairs" />
    case 'papers': return <Rows {...of} shape="papers" />
    case 'labels': return <Labels {...of} />
    case 'clocks': return <Clocks {...of} />
    case 'tree': return <TreeInput {...of} />
    default: return <Input id={id} {...status} value={str(value)} disabled={disabled} onChange={(event) => onChange(event.target.value)} />
  }
}

/** What is no number goes as it stands, so that the service says so at the field. */
const numeric = (text: string): unknown => (text.trim() === '' ? null : Number.isNaN(Number(text)) ? text : Number(text))

function Words({ id, value, onChange, disabled, wrong }: InputOf) {
  return <Select id={id} mode="tags" {...(wrong && { status: 'error' })} open={false} suffixIcon={null} tokenSeparators={[',', '，', '、', '\n']} value={list(value)} disabled={disabled} onChange={(words: string[]) => onChange(words)} />
}

export function useOptions(kind: Kind): { value: string; label: string }[] {
  const records = useRecords(kind)
  const called = useCalled(kind)
  return useMemo(() => (records ?? []).map(({ id, record }) => {
    const name = called(id, (record ?? {}) as Values)
    return { value: id, label: name === id ? id : `${name} · ${id}` }
  }), [records, called])
}

function Reference({ id, value, onChange, disabled, wrong, kind, many }: InputOf & { kind: Kind; many: boolean }) {
  const options = useOptions(kind)
  const shared = { id, options, disabled, allowClear: true, showSearch: { optionFilterProp: 'label' as const }, ...(wrong && { status: 'error' as const }) }
  return many
    ? <Select {...shared} mode="multiple" value={list(value)} onChange={(picked: string[]) => onChange(picked)} />
    : <Select {...shared} value={str(value) || null} onChange={(picked: string | null) => onChange(picked ?? '')} />
}

function Choice({ id, value, onChange, disabled, wrong, name }: InputOf & { name: 'duty' | 'outcomes' | 'crosses' }) {
  const duty = useTexts(duties)
  const outcome = useTexts(outcomes)
  const crosses = useTexts(crossings)
  const status = wrong ? ({ status: 'error' } as const) : {}
  if (name === 'duty')
    return <Select id={id} {...status} disabled={disabled} value={str(value) || 'content_review'} options={keys(duties.zh).map((key) => ({ value: key, label: duty(key) }))} onChange={(picked: string) => onChange(picked)} />
  const options: { value: string; label: string }[] = name === 'outcomes' ? keys(outcomes.zh).map((key) => ({ value: key, label: outcome(key) })) : keys(crossings.zh).map((key) => ({ value: key, label: crosses(key) }))
  return <Select id={id} {...status} mode="multiple" disabled={disabled} value={list(value)} options={options} onChange={(picked: string[]) => onChange(picked)} />
}

const keys = <K extends string>(table: Record<K, string>) => Object.keys(table) as K[]

function Known({ id, value, onChange, disabled }: InputOf) {
  const t = useTexts(TEXT)
  const options = [{ value: 'unknown', label: t('unknown') }, { value: 'yes', label: t('yes') }, { value: 'no', label: t('no') }]
  return <Select id={id} className="short" disabled={disabled} options={options} value={value === true ? 'yes' : value === false ? 'no' : 'unknown'}
    onChange={(picked) => onChange(picked === 'unknown' ? null : picked === 'yes')} />
}

/** Label → values; a row for each label. */
function Labels({ id, value, onChange, disabled }: InputOf) {
  const t = useTexts(TEXT)
  const say = useTexts(labels)
  const held = Object.entries((value ?? {}) as Record<string, string[]>)
  const left = keys(labels.zh).filter((key) => !held.some(([name]) => name === key))
  const put = (name: string, values: string[] | null) =>
    onChange(Object.fromEntries([...held.filter(([key]) => key !== name || values !== null).map(([key, old]): [string, string[]] => [key, key === name && values ? values : old]), ...(held.some(([key]) => key === name) || !values ? [] : [[name, values] as [string, string[]]])]))
  return (
    <div className="rows">
      {held.map(([name, values]) => (
        <div key={name} className="row-labels">
          <span className="small">{name in labels.zh ? say(name as keyof typeof labels.zh) : name}</span>
          <Select mode="tags" aria-label={t('values')} placeholder={t('values')} disabled={disabled} value={values} options={name === 'severity' ? SEVERITIES.map((each) => ({ value: each, label: severities.zh[each] })) : []}
            tokenSeparators={[',', '，', '、']} onChange={(picked: string[]) => put(name, picked)} />
          {!disabled && <button type="button" className="plain" aria-label={t('remove')} onClick={() => put(name, null)}>×</button>}
        </div>
      ))}
      {!disabled && left.length > 0 && (
        <Select id={id} className="short" value={null} placeholder={`+ ${t('label')}`} options={left.map((key) => ({ value: key, label: say(key) }))} onChange={(name: string | null) => name && put(name, [])} />
      )}
    </div>
  )
}

interface Limits {
  limits?: Record<string, { claim_s?: number | null; decide_s?: number | null }>
  lease_s?: number
}

function Clocks({ id, value, onChange, disabled }: InputOf) {
  const t = useTexts(TEXT)
  const severity = useTexts(severities)
  const [own, setOwn] = useState(value !== undefined && value !== null)
  const clocks = (value ?? {}) as Limits
  const limits = clocks.limits ?? { critical: { claim_s: 20, decide_s: 60 }, high: { claim_s: 100, decide_s: 300 }, medium: { claim_s: 600, decide_s: 1800 } }
  const lease = clocks.lease_s ?? 120
  const seconds = (name: string, which: 'claim_s' | 'decide_s') => (
    <Input className="short" aria-label={`${severity(name as 'high')} ${t(which === 'claim_s' ? 'claimS' : 'decideS')}`} inputMode="numeric" disabled={disabled} value={str(limits[name]?.[which])}
      onChange={(event) => onChange({ lease_s: lease, limits: { ...limits, [name]: { ...limits[name], [which]: numeric(event.target.value) } } })} />
  )
  return (
    <div className="rows">
      <Checkbox id={id} checked={own} disabled={disabled} onChange={(event) => {
        setOwn(event.target.checked)
        onChange(event.target.checked ? { limits, lease_s: lease } : undefined)
      }}>{own ? t('ownClocks') : t('usualClocks')}</Checkbox>
      {own && (
        <table className="clocks small">
          <thead><tr><th>{t('label')}</th><th>{t('claimS')}</th><th>{t('decideS')}</th></tr></thead>
          <tbody>{SEVERITIES.map((name) => <tr key={name}><th scope="row">{severity(name)}</th><td>{seconds(name, 'claim_s')}</td><td>{seconds(name, 'decide_s')}</td></tr>)}</tbody>
          <tfoot><tr><th scope="row">{t('lease')}</th><td><Input className="short" aria-label={t('lease')} inputMode="numeric" disabled={disabled} value={str(lease)} onChange={(event) => onChange({ limits, lease_s: numeric(event.target.value) })} /></td></tr></tfoot>
        </table>
      )}
    </div>
  )
}
