import { readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import type { Alert, Card } from '../../api/client'
import { REASONS_IN_ENGLISH } from '../../i18n/words'
import { movesFor, reasonIn, reasonsFor, rectifies, rewritesOf, shortClause, titlesOf, type Ruling } from './decide'

const alert = (id: string, over: Partial<Alert>) =>
  ({ id, category: ['absolute_claim'], clauses: ['AD-09-3'], state: 'open', version: 2, ...over }) as Alert
const card = (alerts: Alert[]) => ({ moment: 'm', post: 'p', room: 'r', priority: 1, at: 1, alerts }) as Card
const ruling = (over: Partial<Ruling>): Ruling =>
  ({ verdict: 'violation', reason: 'as_found', clause: 'AD-09-3', proof: '', note: '', unticked: new Set(), ...over })

test('a violation rests on a clause of each alert itself, and on the ticked categories only', () => {
  const moves = movesFor(card([
    alert('a', { category: ['absolute_claim', 'price_consumer'] }),
    alert('b', { category: ['medical_claim'], clauses: ['AD-17'] }),
    alert('c', { category: ['price_consumer'] }),
    alert('d', { state: 'closed' }),
  ]), ruling({ unticked: new Set(['price_consumer']) }))
  expect(moves.map(({ alert: id, version, move }) => ({ id, version, ...move }))).toMatchObject([
    { id: 'a', version: 2, outcome: 'violation', categories: ['absolute_claim'], clause: 'AD-09-3' },
    { id: 'b', version: 2, outcome: 'violation', categories: ['medical_claim'], clause: 'AD-17' },
    { id: 'c', version: 2, outcome: 'no_violation', reason: 'lawful_context' },
  ])
})

test('a reviewer sees what is to be said instead, of every rule, once', () => {
  const advised = (id: string, rewrite: Record<string, string>) => alert(id, { advice: { say: '', rewrite } })
  expect(rewritesOf(card([advised('a', { 血压: '该测测' }), advised('b', {}), advised('c', { 尿酸: '该测测', 抗癌: '讲吃法' }), advised('d', { 血压稳: '问医生' })])))
    .toEqual([['血压', '该测测'], ['抗癌', '讲吃法']])
  expect(rewritesOf(undefined)).toEqual([])
})

test('a reason is told once for each category', () => {
  const told = (id: string, title: string, category: string) => alert(id, { title, category: [category] })
  expect(titlesOf(card([told('a', '第一', 'absolute_claim'), told('b', '没有第二家', 'absolute_claim'), told('c', '最低价', 'price_consumer'), told('d', '第一', 'price_consumer')])))
    .toEqual({ titles: ['第一', '最低价'], others: ['没有第二家'] })
})

test('an exemption carries its clause and proof', () => {
  expect(movesFor(card([alert('a', {})]), ruling({ verdict: 'exempt', reason: 'true_and_proven', clause: 'ABS-04', proof: '2026-1' }))[0]!.move)
    .toMatchObject({ outcome: 'exempt', clause: 'ABS-04', proof: '2026-1', categories: [] })
})

test('the usual reason comes first', () => {
  const reasons = ['misheard', 'lawful_context', 'duplicate'].map((id) => ({ id, title: id, outcomes: ['no_violation'] }))
  expect(reasonsFor('no_violation', reasons).map((each) => each.id)).toEqual(['lawful_context', 'misheard', 'duplicate'])
  expect(reasonsFor('exempt', reasons)).toEqual([])
})

test('every shipped reason has English words; others keep their title in either language', () => {
  const shipped = readFileSync(new URL('../../../../../config/post/reasons.yml', import.meta.url), 'utf8')
  expect(Object.keys(REASONS_IN_ENGLISH)).toEqual([...shipped.matchAll(/^ {2}(\w+):$/gm)].map((each) => each[1]))
  expect(reasonIn('en', { id: 'misheard', title: '语音识别有误' })).toBe('Misheard')
  expect(reasonIn('zh', { id: 'misheard', title: '听错了' })).toBe('听错了')
  expect(reasonIn('en', { id: 'own', title: '本公司理由' })).toBe('本公司理由')
})

test('a clause is named by its document and article, shortly', () => {
  expect(shortClause({ document: '《中华人民共和国广告法》', article: '第九条第三项' })).toBe('广告法 第九条第三项')
  expect(shortClause({ document: '中华人民共和国广告法（2021年修正）', article: '第九条' })).toBe('广告法 第九条')
})

test('what was done is recorded of the violations of a card alone', () => {
  const moves = rectifies(card([alert('a', { state: 'violation' }), alert('b', { state: 'closed' }), alert('c', { state: 'rectified' })]), 'muted', '')
  expect(moves.map((each) => each.alert)).toEqual(['a', 'c'])
})
