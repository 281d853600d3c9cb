import { expect, test } from 'vitest'

import { around, pieces } from './marked'

const at = (start: number, end: number, level: number, term = '') => ({ span: { start, end, term }, level })

test('spans count code points, and of two at one place the gravest marks it', () => {
  expect(pieces('😀加微信吧', [at(1, 4, 3, '加微信'), at(2, 5, 5)])).toEqual([
    { text: '😀', level: 0, term: '' }, { text: '加', level: 3, term: '' }, { text: '微信', level: 5, term: '加微信' },
    { text: '吧', level: 5, term: '' },
  ])
})

test('the pieces are the text, whatever the spans', () => {
  for (const markings of [[], [at(0, 99, 2)], [at(3, 3, 1)], [at(2, 1, 1)], [at(0, 2, 4), at(2, 5, 4)]])
    expect(pieces('今天全网最低', markings).map((piece) => piece.text).join('')).toBe('今天全网最低')
})

test('a card shows the first span, never only the beginning', () => {
  const text = '啊'.repeat(200) + '最低价' + '哦'.repeat(100)
  const shown = around(text, [at(200, 203, 4)])
  expect(shown.text.startsWith('…')).toBe(true)
  const { start, end } = shown.markings[0]!.span
  expect(Array.from(shown.text).slice(start, end).join('')).toBe('最低价')
  expect(start).toBeLessThan(10)
})
