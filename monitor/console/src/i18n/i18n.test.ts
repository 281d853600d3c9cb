import { expect, test } from 'vitest'

import { filled } from './index'
import * as words from './words'

test('values are filled in, and what is missing stays visible', () => {
  expect(filled('新到 {n} 条，{n}/{all}', { n: 3 })).toBe('新到 3 条，3/{all}')
})

test('no word is empty, and Chinese words are Chinese', () => {
  for (const table of Object.values(words))
    if (typeof table === 'object' && 'zh' in table) {
      for (const word of Object.values(table.zh)) expect(word).toMatch(/\p{Script=Han}/u)
      for (const word of Object.values(table.en)) expect(word).toMatch(/^[\x20-\x7e]+$/)
    }
})
