import { expect, test } from 'vitest'

import { askedOf, boundsOf, byCategory, hours, paramsOf, steps, took, type Figures } from './shape'

const H = 3_600_000
const figures = {
  since: 0, until: 3 * H, step_ms: H,
  over_time: [{ at: 0, category: 'minors', alerts: 2 }, { at: 2 * H, category: 'minors', alerts: 1 }, { at: 2 * H, category: 'abuse_harassment', alerts: 4 }],
} as unknown as Figures

test('every step is there, also where nothing came', () => {
  expect(steps(figures, null)).toEqual([[0, 2], [H, 0], [2 * H, 5]])
  expect(steps(figures, 'minors').map(([, n]) => n)).toEqual([2, 0, 1])
  expect(byCategory(figures)).toEqual([['abuse_harassment', 4], ['minors', 3]])
})

test('hours without a decision are zero', () => {
  expect(hours([{ post: 'a', at: 0, decided: 3 }, { post: 'b', at: 2 * H, decided: 1 }]))
    .toEqual({ at: [0, H, 2 * H], posts: [{ post: 'a', decided: [3, 0, 0] }, { post: 'b', decided: [0, 0, 1] }] })
  expect(hours([])).toEqual({ at: [], posts: [] })
})

test('a time ends with the step that runs, and is as long as it says', () => {
  const now = new Date(2026, 10, 27, 20, 13).getTime()
  expect(boundsOf('day', now)).toEqual({ since: new Date(2026, 10, 26, 21).getTime(), until: new Date(2026, 10, 27, 21).getTime() })
  const week = boundsOf('week', now)
  expect(week.until).toBe(new Date(2026, 10, 28).getTime())
  expect(week.until - week.since).toBe(7 * 24 * H)
})

test('the address keeps what is asked', () => {
  const asked = { range: 'week', post: 'p', compare: true } as const
  expect(askedOf(new URLSearchParams(paramsOf(asked)))).toEqual(asked)
  expect(askedOf(new URLSearchParams('range=toString'))).toMatchObject({ range: 'day', compare: false })
})

test('times as people say them', () => {
  expect([0, 59, 60, 125, 900, 5_400, 300_000].map((n) => took(n, 'zh'))).toEqual(['0秒', '59秒', '1分', '2分5秒', '15分', '1.5小时', '3天'])
  expect(took(125, 'en')).toBe('2 min 5 s')
})
