import { expect, test } from 'vitest'

import type { Check, Finding } from './data'
import { difference } from '../../parts/diff'
import { changed, isMasked, linesBefore, offersFor, scriptOf } from './draft'

const advised = (rewrite: Record<string, string>) => ({ advice: { say: '', rewrite } }) as unknown as Finding

const check = (...lines: [number, string][]): Check => ({
  summary: { id: 'c1', version: 1 }, details: { lines: lines.map(([line, text]) => ({ line, text, findings: [] })), missing: [], rejected: [] },
}) as unknown as Check

test('a rewrite replaces what was said, as long as it stands in the line', () => {
  expect(offersFor(advised({ 全网最低: '店里今年的好价', 抗癌: '删去，只讲吃法' }), '今天全网最低价还抗癌')).toEqual([{ from: '全网最低', to: '店里今年的好价' }, { from: '抗癌', to: '' }])
  expect(offersFor(advised({ 全网最低: '好价' }), '店里的好价')).toEqual([])
  expect(offersFor(advised({ 低: '低于昨天' }), '低于昨天')).toEqual([])
  expect(offersFor({ ...advised({}), also: [advised({}), advised({ 抗癌: '讲吃法' })] }, '抗癌')).toEqual([{ from: '抗癌', to: '讲吃法' }])
})

test('the next version is what was sent with its changed lines', () => {
  const made = check([1, '你好'], [3, '全网最低'], [4, '电话***********'])
  const sent = '你好\r\n\r\n  全网最低\r电话13812345678'
  const draft = changed(new Map(), 3, '好价', '全网最低')
  expect(scriptOf(made, sent, draft)).toBe('你好\n\n好价\n电话13812345678')
  expect(scriptOf(made, undefined, draft)).toBe('你好\n好价\n电话***********')
  expect([linesBefore(made, sent)(3), linesBefore(made, undefined)(3)]).toEqual(['全网最低', '全网最低'])
  expect([isMasked(made, sent), isMasked(made, undefined)]).toEqual([false, true])
  expect(changed(draft, 3, '全网最低', '全网最低').size).toBe(0)
})

test('a difference leads from one version to the other with the fewest changes', () => {
  expect(difference(['a', 'b', 'c'], ['a', 'x', 'c']).map(({ kind, text }) => kind[0] + text)).toEqual(['sa', 'gb', 'nx', 'sc'])
  let seed = 7
  const random = (n: number) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % n
  for (let round = 0; round < 300; round++) {
    const some = () => Array.from({ length: random(9) }, () => 'abc'[random(3)]!)
    const [before, after] = [some(), some()]
    const found = difference(before, after)
    expect(found.filter(({ kind }) => kind !== 'new').map(({ text }) => text)).toEqual(before)
    expect(found.filter(({ kind }) => kind !== 'gone').map(({ text }) => text)).toEqual(after)
    expect(found.filter(({ kind }) => kind === 'same').length).toBe(longestCommon(before, after))
  }
})

function longestCommon(a: readonly string[], b: readonly string[]): number {
  const [head, ...rest] = a
  if (head === undefined || !b.length) return 0
  const at = b.indexOf(head)
  return Math.max(longestCommon(rest, b), at < 0 ? 0 : 1 + longestCommon(rest, b.slice(at + 1)))
}
