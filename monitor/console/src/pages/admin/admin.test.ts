import { expect, test } from 'vitest'

import { Refusal } from '../../api/client'
import { canonical, differing, faultOf } from './faults'
import { asTree, cleaned, DESCRIBED, GROUPS, shownTo } from './kinds'
import { fields, sections } from './text'
import { read, written, YamlFault } from './yaml'

const TREE = {
  post: 'content-review',
  routes: [
    { match: { tier: ['care'] }, post: 'lead', wait_s: 0 },
    { match: { category: ['personal_info', 'offsite_fraud'], room: ['9001', 'a: b', 'true', 'x #1', '#2', '说"好"'] }, unless: {}, continue: true, routes: [{ match: { severity: ['low'] }, post: '值班 岗' }] },
  ],
}

test('a routing tree is the same after it was written and read', () => {
  expect(read(written(TREE))).toEqual(TREE)
  expect(read('post: a # the usual one\nroutes:\n- match: {tier: [care]}\n  post: b\n-\n  post: "c"\n')).toEqual({ post: 'a', routes: [{ match: { tier: ['care'] }, post: 'b' }, { post: 'c' }] })
  expect(read("match:\n  category:\n    - minors\n    - 'it''s'\n")).toEqual({ match: { category: ['minors', "it's"] } })
})

test.each([['post: a\n   x: 1', 2], ['post a', 1], ['a: [b', 1], ['a: 1\na: 2', 2], ['a:\n\tb: 1', 2], ['a: "b', 1]])('%j is told with its line', (source, line) => {
  try {
    const found = read(source)
    expect(typeof found).toBe('string') // a lone word is no tree, and the service says so
  } catch (fault) {
    expect(fault).toBeInstanceOf(YamlFault)
    expect((fault as YamlFault).line).toBe(line)
  }
})

const refusal = (message: string, details = {}) => new Refusal(400, 'bad_input', message, '', details)

test.each([
  ['room x: Expected `str` - at `$.tags[1]`', { field: 'tags[1]' }, 'room', {}, 'tags', 'wrongType'],
  ['unit x: Object missing required field `title`', { field: 'title' }, 'unit', {}, 'title', 'needed'],
  ["room x: there is no unit 'nope'", {}, 'room', { unit: 'nope' }, 'unit', 'noSuch'],
  ["room x: there is no host 'a'", {}, 'room', { hosts: ['b', 'a'] }, 'hosts', 'noSuch'],
  ['slot x: it ends before it starts', {}, 'slot', {}, 'ends', 'endsFirst'],
  ['something else', {}, 'slot', {}, undefined, 'told'],
] as const)('%s', (message, details, kind, record, field, say) => {
  expect(faultOf(refusal(message, details), DESCRIBED[kind], record)).toMatchObject({ ...(field && { field }), say })
})

test('a fault is found at its field in either language, and said in that of the reader', () => {
  const fault = faultOf(refusal('直播间 x：tags[1] 处应为文字', { field: 'tags[1]', message: 'room x: Expected `str` - at `$.tags[1]`' }), DESCRIBED.room, {})
  expect(fault).toMatchObject({ field: 'tags', say: 'wrongType', values: { why: 'tags[1] 处应为文字' } })
})

test('what says nothing is not sent', () => {
  expect(cleaned({ title: 'a', tags: [], unit: '', teaches: true, outcomes: ['violation'] }, DESCRIBED.reason)).toEqual({ title: 'a', outcomes: ['violation'] })
  expect(cleaned({ teaches: false }, DESCRIBED.reason)).toEqual({ teaches: false })
  expect(cleaned({ of_age: false, digital: false }, DESCRIBED.host)).toEqual({ of_age: false })
})

test('units hang below one another, and a circle loses none', () => {
  const unit = (id: string, above = '') => ({ id, record: { above } })
  expect(asTree([unit('a'), unit('b', 'a'), unit('c', 'b'), unit('d', 'gone')]).map(({ one, depth }) => `${one.id}${depth}`)).toEqual(['a0', 'b1', 'c2', 'd0'])
})

test('records are the same in whatever order their keys are', () => {
  expect(canonical({ a: 1, b: [{ c: 2, d: 3 }] })).toBe(canonical({ b: [{ d: 3, c: 2 }], a: 1 }))
  expect(differing({ a: 1, b: 2 }, { a: 1, b: 3, c: 4 })).toEqual(['b', 'c'])
})

test('each part is shown to those who may use it, and every field has a word', () => {
  const every = GROUPS.flatMap((group) => group.sections)
  expect([...every].sort()).toEqual(Object.keys(sections.zh).sort())
  const seen = (...permissions: string[]) => every.filter((section) => shownTo(section, (each) => permissions.includes(each)))
  expect(seen('see', 'review')).toEqual(['me'])
  expect(seen('operate')).toEqual(['me', 'messages'])
  expect(seen('see', 'people')).toEqual(['users', 'me'])
  for (const { fields: some } of Object.values(DESCRIBED)) for (const { key } of some) expect(fields.zh[key]).toBeTruthy()
})
