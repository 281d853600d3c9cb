import { expect, test } from 'vitest'

import { offers, placeOf, type Schema } from './complete'
import type { FileRow, RuleRow } from './data'
import { blank, GOOD_PATH, pathOf, rowsOf } from './order'
import { activated, alone, daysOf } from './shadowed'
import { pastedTerms, termsOf, withoutLine, withTerms } from './terms'

test('where one writes is known in blocks and in braces', () => {
  expect(placeOf('id: a.b\nti')).toMatchObject({ path: [], at: 'key', word: 'ti', taken: ['id'] })
  expect(placeOf('tier: re')).toMatchObject({ path: ['tier'], at: 'value', word: 're' })
  expect(placeOf('category: [abs')).toMatchObject({ path: ['category', '-'], at: 'value' })
  expect(placeOf('applies: {kinds: [transcript], sp')).toMatchObject({ path: ['applies'], at: 'key', word: 'sp', taken: ['kinds'] })
  expect(placeOf('detection:\n  claim:\n    ve')).toMatchObject({ path: ['detection', 'claim'], at: 'key' })
  expect(placeOf('detection:\n  claim: {terms: [a], si')).toMatchObject({ path: ['detection', 'claim'], at: 'key', taken: ['terms'] })
  expect(placeOf('detection:\n  claim: {side: be')).toMatchObject({ path: ['detection', 'claim', 'side'], at: 'value' })
  expect(placeOf('cases:\n  - {text: x, ex')).toMatchObject({ path: ['cases', '-'], at: 'key', taken: ['text'] })
  expect(placeOf('clauses:\n  - A')).toMatchObject({ path: ['clauses', '-'], at: 'value', word: 'A' })
})

const schema: Schema = {
  properties: {
    id: { type: 'string' }, tier: { enum: ['redline', 'standard'] },
    category: { oneOf: [{ enum: ['abuse'] }, { type: 'array', items: { enum: ['abuse'] } }] },
    detection: { properties: { condition: {} }, additionalProperties: { oneOf: [{ properties: { side: { enum: ['before'] }, terms: {} } }] } },
  },
}
const vocabulary = { schema, clauses: { 'AD-04': '广告法 第四条' }, contexts: ['denial'], named: { redline: '严禁' } }
const labels = (text: string) => offers(placeOf(text), vocabulary).map(({ label }) => label)

test('what may stand there is offered, and what stands beside it is not', () => {
  expect(labels('id: x\n')).toEqual(['tier', 'category', 'detection'])
  expect(offers(placeOf('tier: '), vocabulary)[0]).toMatchObject({ label: 'redline', detail: '严禁' })
  expect(labels('category: [')).toEqual(['abuse'])
  expect(labels('detection:\n  a: {terms: [x], ')).toEqual(['side'])
  expect(labels('detection:\n  a: {side: ')).toEqual(['before'])
  expect(labels('clauses: [A')).toEqual(['AD-04'])
  expect(labels('detection:\n  a: {context: ')).toEqual(['denial'])
})

test('terms come from a spreadsheet, each once, and comments stay', () => {
  const text = '# 极限词\n顶级\n最佳  # 常用\n'
  expect(termsOf(text)).toEqual([{ line: 1, term: '顶级', remark: '' }, { line: 2, term: '最佳', remark: '常用' }])
  expect(pastedTerms('"天下 第一"\t口语\r\n\r\n顶级')).toEqual([{ term: '天下 第一', remark: '口语' }, { term: '顶级', remark: '' }])
  expect(withTerms(text, '顶级\n无敌\t新\n无敌')).toEqual({ text: `${text}无敌  # 新\n`, added: 1, known: 2 })
  expect(withTerms('顶级', '无敌').text).toBe('顶级\n无敌\n')
  expect(withoutLine(text, 1)).toBe('# 极限词\n最佳  # 常用\n')
})

const rule = (id: string, alerts: number, violations: number, decided: number): RuleRow => ({
  id, title: id, pack: 'p', path: `p/${id.split('.')[1]}.yml`, kind: 'rule', tier: 'standard', severity: 'high', status: 'active', category: ['abuse'],
  sub: '', clauses: ['AD-04'], cases: 2, version: 0, latest: 0, figures: { hits: alerts, alerts, decided, violations, shadow: 0 },
})
const file = (path: string): FileRow => ({ path, title: '', rules: [], version: 0, latest: 0, loaded: true, by: '', at: 0 })

test('the list is sorted by what people ask, and finds words in any of its fields', () => {
  const rules = [rule('p.a', 1, 0, 0), rule('p.b', 5, 1, 4), rule('p.c', 3, 0, 3)]
  const files = [file('p/a.yml'), file('p/b.yml'), file('p/c.yml'), file('p/lists/x.txt')]
  const keys = (...asked: [Parameters<typeof rowsOf>[2], string, Parameters<typeof rowsOf>[4]]) => rowsOf(rules, files, ...asked).map((row) => row.key)
  expect(keys('rules', '', 'alerts')).toEqual(['p.b', 'p.c', 'p.a'])
  expect(keys('rules', '', 'share')).toEqual(['p.c', 'p.b', 'p.a']) // the least borne out first, the undecided last
  expect(keys('rules', 'ad-04 p.c', 'pack')).toEqual(['p.c'])
  expect(keys('files', '', 'pack')).toEqual(['p/lists/x.txt'])
  expect([pathOf('p.b', rules), pathOf('p/lists/x.txt', rules), pathOf('none', rules)]).toEqual(['p/b.yml', 'p/lists/x.txt', null])
})

test('a new file has a good name and a beginning', () => {
  expect(['shop/early_bird.yml', 'clauses-shop.yml', 'shop/lists/a.txt'].every((path) => GOOD_PATH.test(path))).toBe(true)
  expect(['../x.yml', 'Shop/a.yml', 'shop/a.sh', 'a/b/c/d.yml', ''].some((path) => GOOD_PATH.test(path))).toBe(false)
  expect(blank('my-shop/early_bird.yml')).toContain('id: my_shop.early_bird')
})

test('a cell of a spreadsheet may have several lines, and quotes of its own', () => {
  expect(pastedTerms('"天下\n无双"\t"他说""好"""\r\n盖世\t"两\r\n行"\n"独一"')).toEqual([
    { term: '天下 无双', remark: '他说"好"' }, { term: '盖世', remark: '两 行' }, { term: '独一', remark: '' },
  ])
})

test('every day between the first and the last is shown, newest first', () => {
  expect(daysOf([])).toEqual([])
  expect(daysOf([{ day: '2026-02-27', findings: 3 }, { day: '2026-03-01', findings: 1 }])).toEqual([
    { day: '2026-03-01', findings: 1 }, { day: '2026-02-28', findings: 0 }, { day: '2026-02-27', findings: 3 }])
  expect(alone({ looked_at: 5, with_alert: 2 })).toBe(3)
})

test('only its status changes where a rule leaves the shadow', () => {
  expect(activated('id: a.b\nstatus: shadow\ntitle: shadow')).toBe('id: a.b\nstatus: active\ntitle: shadow')
  expect(activated('status:  "shadow"  # since Monday\n')).toBe('status: active  # since Monday\n')
  for (const text of ['status: active\n', 'status: shadowy\n', '  status: shadow\n', '']) expect(activated(text)).toBeNull()
})
