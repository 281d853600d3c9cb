import { expect, test } from 'vitest'

import { ending, ranked, rough, type PlanLine } from './tonight'

const line = (state: PlanLine['state'], starts: number, room = 'r') => ({ state, starts, room }) as PlanLine

test('what is silent comes first, the longest before others', () => {
  const found = ranked([line('to_come', 9), line('on_air', 1), line('silent', 5), line('silent', 3), line('due', 4)])
  expect(found.map((each) => `${each.state} ${each.starts}`)).toEqual(['silent 3', 'silent 5', 'due 4', 'on_air 1', 'to_come 9'])
})

test('of papers the one that ends first is told, if that is soon', () => {
  const day = 86_400_000
  expect(ending({ 执业证: { ends: 3 * day + 1 }, 培训: { ends: 9 * day }, 合同: { ends: null } }, 0)).toEqual({ paper: '执业证', days: 3 })
  expect(ending({ 执业证: { ends: -1 } }, 0)).toEqual({ paper: '执业证', days: -1 })
  expect(ending({ 执业证: { ends: 90 * day } }, 0)).toBeNull()
  expect(ending(undefined, 0)).toBeNull()
})

test('times are hours and minutes', () => {
  expect([0, 59, 60, 4_000, -5].map(rough)).toEqual(['0:00', '0:00', '0:01', '1:06', '0:00'])
})
