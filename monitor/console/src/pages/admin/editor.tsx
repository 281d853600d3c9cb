/** One record, edited as a whole, with what the service says of it at the field that it is about. */
import { useQueryClient } from '@tanstack/react-query'
import { Button, Input } from 'antd'
import { useEffect, useId, useState, type ReactNode } from 'react'

import { api, get, Refusal, told } from '../../api/client'
import { useSession } from '../../api/session'
import { useTexts } from '../../i18n'
import { useCalled } from './called'
import { Extras } from './extras'
import { canonical, differing, faultOf, type Fault } from './faults'
import { FieldInput } from './inputs'
import { cleaned, DESCRIBED, when, type Field, type Kind, type Values } from './kinds'
import type { Stored } from './list'
import { Twice } from './parts'
import { fields, hints, permissions, sections, TEXT, type FieldName } from './text'

const proposed = (kind: Kind) => `${kind}-${Date.now().toString(36)}`

export function Editor({ kind, stored, onDone, onDirty }: {
  kind: Kind
  stored: Stored | null
  /** The id that is there now; null: none. */
  onDone: (id: string | null) => void
  onDirty: (dirty: boolean) => void
}) {
  const t = useTexts(TEXT)
  const say = useTexts(fields)
  const need = useTexts(permissions)
  const { may } = useSession()
  const client = useQueryClient()
  const described = DESCRIBED[kind]
  const called = useCalled(kind)
  const [start, setStart] = useState<Stored | null>(stored)
  const title = start && called(start.id, (start.record ?? {}) as Values)
  const [record, setRecord] = useState<Values>((stored?.record ?? {}) as Values)
  const [id, setId] = useState(stored?.id ?? (described.anyId ? proposed(kind) : ''))
  const [fault, setFault] = useState<Fault | null>(null)
  const [theirs, setTheirs] = useState<Stored | 'gone' | null>(null)
  const [note, setNote] = useState('')
  const [busy, setBusy] = useState(false)
  const [round, setRound] = useState(0) // inputs with a state of their own begin anew
  const mayEdit = may(described.needs)
  const dirty = canonical(cleaned(record, described)) !== canonical(cleaned((start?.record ?? {}) as Values, described))
  useEffect(() => onDirty(dirty), [dirty, onDirty])

  const begin = (from: Stored | null) => {
    setStart(from)
    setRecord((from?.record ?? {}) as Values)
    setFault(null)
    setTheirs(null)
    setRound(round + 1)
  }
  const path = { kind: kind as never, id: id.trim() }
  const send = async (work: () => Promise<void>) => {
    setBusy(true)
    setFault(null)
    setNote('')
    try {
      await work()
    } catch (error) {
      if (error instanceof Refusal && error.details.why === 'stale') await conflict()
      else setFault(error instanceof Refusal ? faultOf(error, described, record) : { say: 'told', values: { why: told(error) } })
    } finally {
      setBusy(false)
    }
  }
  const conflict = async () => {
    const now = await get(api.GET('/api/v1/records/{kind}/{id}', { params: { path } })).catch(() => null)
    setTheirs(now?.record ? now : 'gone')
  }
  const save = (over?: number) => send(async () => {
    const version = over ?? start?.version ?? 0
    const shipped = start?.version === 0
    const { records } = await get(api.PUT('/api/v1/records/{kind}/{id}', { params: { path, query: shipped && over === undefined ? {} : { version } }, body: cleaned(record, described) as Record<string, never> }))
    const saved = records.find((each) => each.id === path.id) ?? records[0]!
    await client.invalidateQueries({ queryKey: ['records', kind] })
    begin(saved)
    setNote(t('saved', { v: saved.version }))
    onDirty(false)
    onDone(saved.id)
  })
  const remove = () => send(async () => {
    await get(api.DELETE('/api/v1/records/{kind}/{id}', { params: { path, query: start ? { version: start.version } : {} } }))
    onDirty(false)
    onDone(null)
    await client.invalidateQueries({ queryKey: ['records', kind] })
  })
  const sayFault = useFaultWords()
  const unread = described.fields.some(({ type, key }) => type === 'tree' && record[key] === undefined)
  return (
    <form className="editor" onSubmit={(event) => {
      event.preventDefault()
      void save()
    }}>
      <header>
        <h2 className="title one-line">{title ?? t('make')}</h2>
        {start && <p className="meta">{start.version ? t('version', { v: start.version, who: start.by, t: when(start.at) }) : t('shipped')}{may('audit') && start.version > 0 && <> · <a href={`/admin/trail?on=${encodeURIComponent(`${kind}/${start.id}`)}`}>{t('ofThis')}</a></>}</p>}
        {!mayEdit && <p className="meta">{t('readOnly', { need: need(described.needs as 'plan') })}</p>}
      </header>
      <div className="fields">
        {!start && <Line label={t('id')} needed hint={described.idHint} fault="">{(name) => <Input id={name} className="half" value={id} onChange={(event) => setId(event.target.value)} />}</Line>}
        {start && title !== start.id && <Line label={t('id')} fault="">{(name) => <code id={name} className="small">{start.id}</code>}</Line>}
        {described.fields.map((field) => (
          <Line key={`${field.key} ${round}`} label={say(field.key)} needed={field.needed ?? false} hint={field.hint} fault={fault?.field === field.key ? sayFault(fault) : ''}>
            {(name) => <FieldInput id={name} field={field} value={record[field.key]} disabled={!mayEdit} wrong={fault?.field === field.key} onChange={(value) => setRecord((before) => put(before, field, value))} />}
          </Line>
        ))}
      </div>
      {fault && fault.field === undefined && <p role="alert" className="fault">{sayFault(fault)}</p>}
      {theirs === 'gone' && <p role="alert" className="fault">{t('gone')} <Button size="small" onClick={() => void save(0)}>{t('save')}</Button></p>}
      {theirs && theirs !== 'gone' && (
        <div role="alert" className="fault">
          {t('conflict', { who: theirs.by, v: theirs.version, fields: differing(cleaned(record, described), cleaned((theirs.record ?? {}) as Values, described)).map((key) => (key in fields.zh ? say(key as FieldName) : key)).join('、') || '–' })}
          <p><Button size="small" onClick={() => begin(theirs)}>{t('takeTheirs')}</Button> <Button size="small" onClick={() => void save(theirs.version)}>{t('keepMine')}</Button></p>
        </div>
      )}
      {mayEdit && (
        <footer>
          <Button htmlType="submit" disabled={busy || (start !== null && !dirty) || !id.trim() || unread}>{busy ? t('saving') : t('save')}</Button>
          {start && dirty && <Button onClick={() => begin(start)}>{t('drop')}</Button>}
          {start && start.version > 0 && <Twice sure={t('removeSure')} danger disabled={busy} onDo={() => void remove()}>{t('remove')}</Twice>}
          <span role="status" className="small">{note}</span>
        </footer>
      )}
      <Extras kind={kind} id={start?.id ?? ''} record={record} dirty={dirty} />
    </form>
  )
}

const put = (record: Values, field: Field, value: unknown): Values => ({ ...record, [field.key]: value })

function Line({ label, needed, hint, fault, children }: { label: string; needed?: boolean; hint?: Field['hint'] | undefined; fault: string; children: (id: string) => ReactNode }) {
  const t = useTexts(TEXT)
  const say = useTexts(hints)
  const id = useId()
  return (
    <div className={`field-line${fault ? ' wrong' : ''}`}>
      <label htmlFor={id} className="small">{label}{needed && <span className="meta"> {t('needed')}</span>}</label>
      <div>{children(id)}{hint && say(hint) && <p className="meta">{say(hint)}</p>}{fault && <p className="fault" role="alert">{fault}</p>}</div>
    </div>
  )
}

function useFaultWords(): (fault: Fault) => string {
  const t = useTexts(TEXT)
  const kindOf = useTexts(sections)
  return ({ say, values: { kind, id = '', why = '', key = '' } }) =>
    say === 'told' ? why : t(say, { kind: kind && kind in sections.zh ? kindOf(kind) : kind ?? '', id, why, key })
}
