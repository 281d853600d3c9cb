import { expect, test } from 'vitest'

import { filled } from './index'
import * as words from './words'

test('values are filled in, and what is missing stays visible', () => {
  expect(filled('新到 {n} 条，{n}/{all}', { n: 3 })).toBe('新到 3 条，3/{all}')
})

test('a noun and a verb agree with their count', () => {
  const said = (n: number) => filled('{n} {n:line stays|lines stay}, {m} {m:is|are} new', { n, m: 1 })
  expect([0, 1, 2, 21].map(said)).toEqual(['0 lines stay, 1 is new', '1 line stays, 1 is new', '2 lines stay, 1 is new', '21 lines stay, 1 is new'])
  expect(filled('{n:a|b}')).toBe('{n:a|b}')
})

test('no word is empty, and Chinese words are Chinese', () => {
  for (const table of Object.values(words))
    if (typeof table === 'object' && 'zh' in table) {
      for (const word of Object.values(table.zh)) expect(word).toMatch(/\p{Script=Han}/u)
      for (const word of Object.values(table.en)) expect(word).toMatch(/^[\x20-\x7e]+$/)
    }
})
