/** What each kind of record holds, so that one editor serves them all. */
import { fieldTime } from '../../parts/clock'
import type { FieldName, HintName, SectionName } from './text'

export type Kind = Exclude<SectionName, 'users' | 'me' | 'trail' | 'held' | 'messages' | 'models'>
export type Values = Record<string, unknown>

export type FieldType =
  | 'text' | 'long' | 'number' | 'numbers' | 'flag' | 'known' | 'time' | 'words' | 'pairs' | 'papers' | 'labels' | 'clocks' | 'tree' | 'secret'
  | { ref: Kind; many?: true }
  | { choice: 'duty' }
  | { choices: 'outcomes' | 'crosses' }

export interface Field {
  key: FieldName
  type: FieldType
  needed?: true
  /** What it is where the record does not say. */
  usual?: boolean
  hint?: HintName
}

export interface Description {
  /** What it takes to edit one. */
  needs: string
  fields: readonly Field[]
  /** What people call it; the id where nothing is. `titled`: a record of the kind `after`. */
  called: (record: Values, titled: (id: string) => string, id: string) => string
  /** Whose titles are in what it is called. */
  after?: Kind
  /** A second line in the list. */
  about?: (record: Values) => string
  idHint?: HintName
  /** Ids say nothing: one is proposed. */
  anyId?: true
}

const text = (key: FieldName, more: Partial<Field> = {}): Field => ({ key, type: 'text', ...more })
const of = (key: FieldName, ref: Kind, more: Partial<Field> = {}): Field => ({ key, type: { ref }, ...more })
const some = (key: FieldName, ref: Kind): Field => ({ key, type: { ref, many: true } })
const needed = { needed: true } as const
const str = (value: unknown) => (typeof value === 'string' ? value : '')
const title = (record: Values) => str(record.title)
export const when = (ms: unknown) => (typeof ms === 'number' ? fieldTime(ms).replace('T', ' ') : '')

export const DESCRIBED: Record<Kind, Description> = {
  unit: { needs: 'organise', called: title, about: (r) => str(r.default_post), fields: [text('title', needed), of('above', 'unit'), of('default_post', 'post', { hint: 'default_post' })] },
  room: {
    needs: 'organise', called: title, about: (r) => [r.platform, r.unit].filter(Boolean).join(' · '), idHint: 'room_id',
    fields: [
      text('title'), of('unit', 'unit'), text('platform'), text('account'), text('vertical'), of('profile', 'profile'), { key: 'tags', type: 'words', hint: 'tags' }, some('hosts', 'host'),
      { key: 'product_categories', type: 'words' }, { key: 'listed_prices', type: 'numbers' }, { key: 'claim_proofs', type: 'pairs' }, text('media', { hint: 'media' }), some('notify', 'channel'), text('operator'), text('credit_code'),
    ],
  },
  host: {
    needs: 'organise', called: (r) => str(r.name), about: (r) => str(r.unit),
    fields: [text('name', needed), of('unit', 'unit'), { key: 'identity_checked', type: 'flag' }, { key: 'of_age', type: 'known' }, { key: 'papers', type: 'papers' }, { key: 'required', type: 'words', hint: 'tags' }, { key: 'digital', type: 'flag' }],
  },
  product: {
    needs: 'plan', called: title, about: (r) => [r.category, r.seller].filter(Boolean).join(' · '), idHint: 'product_id',
    fields: [text('title', needed), of('unit', 'unit'), text('category'), { key: 'listed_price', type: 'number' }, text('seller'), text('link'), { key: 'certificates', type: 'papers' }, { key: 'claims', type: 'pairs' }],
  },
  profile: { needs: 'organise', called: title, fields: [text('title', needed), { key: 'tags', type: 'words', hint: 'tags' }] },
  slot: {
    needs: 'plan', anyId: true, after: 'room', called: (r, titled) => `${when(r.starts)} ${titled(str(r.room))}`, about: (r) => [r.host, r.note].filter(Boolean).join(' · '),
    fields: [of('room', 'room', needed), { key: 'starts', type: 'time', needed: true }, { key: 'ends', type: 'time' }, of('host', 'host'), some('products', 'product'), { key: 'note', type: 'long' }],
  },
  post: {
    needs: 'organise', called: title, about: (r) => str(r.unit),
    fields: [text('title', needed), of('unit', 'unit'), { key: 'duty', type: { choice: 'duty' } }, { key: 'members', type: 'words', hint: 'members' }, text('lead'), { key: 'clocks', type: 'clocks' }, some('notify', 'channel')],
  },
  shift: {
    needs: 'roster', anyId: true, after: 'post', called: (r, titled) => `${when(r.starts)} ${titled(str(r.post))}`, about: (r) => (Array.isArray(r.people) ? r.people.join('、') : ''),
    fields: [of('post', 'post', needed), { key: 'people', type: 'words', needed: true, hint: 'tags' }, { key: 'starts', type: 'time', needed: true }, { key: 'ends', type: 'time', needed: true }, text('zone', { hint: 'zone' }), { key: 'handover', type: 'long' }],
  },
  routes: { needs: 'organise', after: 'unit', called: (_, titled, id) => titled(id), idHint: 'routes_id', fields: [{ key: 'tree', type: 'tree', needed: true, hint: 'tree' }] },
  reason: { needs: 'organise', called: title, fields: [text('title', needed), { key: 'outcomes', type: { choices: 'outcomes' }, needed: true }, { key: 'teaches', type: 'flag', usual: true }] },
  silence: {
    needs: 'lead', anyId: true, called: (r) => str(r.reason), about: (r) => `→ ${when(r.ends)}`,
    fields: [{ key: 'match', type: 'labels', needed: true }, { key: 'unless', type: 'labels' }, text('reason', needed), { key: 'begins', type: 'time', needed: true }, { key: 'ends', type: 'time', needed: true }],
  },
  exception: {
    needs: 'rules', anyId: true, called: (r) => str(r.wording), about: (r) => str(r.rule),
    fields: [text('rule', needed), text('wording', { ...needed, hint: 'wording' }), of('room', 'room'), of('product', 'product'), text('proof', needed), { key: 'ends', type: 'time', needed: true }],
  },
  cue_rule: { needs: 'lead', called: (r) => str(r.say), idHint: 'cue_rule_id', fields: [{ key: 'automatic', type: 'flag', usual: true }, { key: 'say', type: 'long' }, text('reason')] },
  link: { needs: 'links', called: title, idHint: 'link_id', fields: [text('title'), { key: 'crosses', type: { choices: 'crosses' } }] },
  channel: { needs: 'organise', called: title, about: (r) => str(r.url), fields: [text('title'), of('unit', 'unit'), text('url', { ...needed, hint: 'url' }), { key: 'secret', type: 'secret' }] },
}

export const GROUPS: readonly { name: 'organisation' | 'running' | 'rulesGroup' | 'peopleGroup' | 'system'; sections: readonly SectionName[] }[] = [
  { name: 'organisation', sections: ['unit', 'room', 'host', 'product', 'profile'] },
  { name: 'running', sections: ['slot', 'post', 'shift', 'routes', 'reason', 'channel', 'link'] },
  { name: 'rulesGroup', sections: ['held', 'silence', 'exception', 'cue_rule', 'models'] },
  { name: 'peopleGroup', sections: ['users', 'me'] },
  { name: 'system', sections: ['messages', 'trail'] },
]

const NEEDS: Partial<Record<SectionName, readonly string[]>> = { users: ['people'], me: [''], trail: ['audit'], held: ['lead'], messages: ['audit', 'operate'], models: ['rules'] }
const EDITING = ['organise', 'plan', 'roster', 'lead', 'rules', 'links']

/** Records are for all who may edit some of them. */
export function shownTo(section: SectionName, may: (permission: string) => boolean): boolean {
  return (NEEDS[section] ?? EDITING).some((permission) => permission === '' || may(permission))
}

export const isKind = (section: string): section is Kind => Object.hasOwn(DESCRIBED, section)

/** Units as a tree: each with its depth, those below behind it. */
export function asTree<T extends { id: string; record: Values }>(records: readonly T[]): { one: T; depth: number }[] {
  const known = new Set(records.map((each) => each.id))
  const below = new Map<string, T[]>()
  for (const each of records) {
    const above = str(each.record.above)
    const key = known.has(above) && above !== each.id ? above : ''
    below.set(key, [...(below.get(key) ?? []), each])
  }
  const found: { one: T; depth: number }[] = []
  const walk = (key: string, depth: number) => {
    for (const one of below.get(key) ?? []) {
      found.push({ one, depth })
      below.set(key, [])
      walk(one.id, depth + 1)
    }
  }
  walk('', 0)
  return found
}

/** Without what says nothing, as the service writes records itself. */
export function cleaned(record: Values, described: Description): Values {
  const usual = new Map(described.fields.map((field) => [field.key as string, field.usual ?? false]))
  return Object.fromEntries(Object.entries(record).filter(([key, value]) =>
    !(value === '' || value === null || value === undefined || (Array.isArray(value) && value.length === 0) ||
      (typeof value === 'boolean' && key !== 'of_age' && value === usual.get(key)) ||
      (typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0 && key !== 'tree'))))
}
