import { expect, test } from 'vitest'

import { CATEGORIES } from '../../i18n/words'
import { CARDS } from './categorycards'

test('every category has a card in both languages, whole and short', () => {
  expect(Object.keys(CARDS.zh)).toEqual(CATEGORIES)
  expect(Object.keys(CARDS.en)).toEqual(CATEGORIES)
  for (const card of Object.values(CARDS.zh))
    for (const text of Object.values(card)) {
      expect(text).toMatch(/\p{Script=Han}.*。$/u)
      expect(text.length).toBeLessThan(80)
    }
  for (const card of Object.values(CARDS.en))
    for (const text of Object.values(card)) expect(text).toMatch(/^[\x20-\x7e]{20,200}\.$/)
})
