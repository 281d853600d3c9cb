/** What the service refused, at the field that it is about. */
import { told, type Refusal } from '../../api/client'
import type { Description, Kind, Values } from './kinds'

export interface Fault {
  /** Key of the field; none: of the whole record. */
  field?: string
  say: 'needed' | 'noSuch' | 'endsFirst' | 'leadNot' | 'unknownKey' | 'tooWide' | 'noPlace' | 'wrongType' | 'told'
  values: { kind?: Kind; id?: string; why?: string; key?: string }
}

const MISSING = /there is no (\w+) '([^']+)'/

export function faultOf(refusal: Refusal, described: Description, record: Values): Fault {
  const { details } = refusal
  const message = typeof details.message === 'string' ? details.message : refusal.message // in English, for programs
  const path = typeof details.field === 'string' ? details.field : ''
  const key = path.split(/[.[]/, 1)[0] ?? ''
  const of = (field: string | undefined, say: Fault['say'], values: Fault['values'] = {}): Fault => ({ ...(field && { field }), say, values })
  const has = (name: string) => described.fields.some((field) => field.key === name)
  if (message.includes('missing required field')) return of(key, 'needed')
  if (message.includes('unknown field')) return of(has(key) ? key : undefined, 'unknownKey', { key: path })
  if (key && has(key)) return of(key, 'wrongType', { why: short(refusal.message) })
  const missing = MISSING.exec(message)
  if (missing) {
    const [, kind, id] = missing as unknown as [string, Kind, string]
    const field = described.fields.find(({ key: name, type }) => typeof type === 'object' && 'ref' in type && type.ref === kind && [record[name]].flat().includes(id))
    return of(field?.key ?? described.fields.find(({ type }) => type === 'tree')?.key, 'noSuch', { kind, id })
  }
  if (/it ends before it (starts|begins)/.test(message)) return of('ends', 'endsFirst')
  if (message.includes('its lead')) return of('lead', 'leadNot')
  if (message.includes('it would silence everything')) return of('match', 'tooWide')
  if (message.includes('it would hold in every room')) return of('room', 'noPlace')
  const named = /`(\w+)` lies outside/.exec(message)?.[1]
  if (/route|label/.test(message)) return of(['tree', 'match'].find(has), 'wrongType', { why: short(refusal.message) })
  return of(named && has(named) ? named : undefined, 'told', { why: told(refusal) })
}

/** Behind the kind and the id of the record, which stand beside it. */
const short = (message: string) => message.replace(/^[^:：]*[:：]\s*(\w+ [^:]+: )?/, '').replace(/ - at `[^`]*`$/, '')

/** Keys in which two records differ. */
export function differing(one: Values, other: Values): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((key) => canonical(one[key]) !== canonical(other[key])).sort()
}

/** The same for the same values, in whatever order their keys are. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join()}}`
  return JSON.stringify(value) ?? 'undefined'
}
