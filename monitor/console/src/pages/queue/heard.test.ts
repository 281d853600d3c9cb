import { expect, test } from 'vitest'

import type { ContextLine } from '../../api/client'
import { heard } from './heard'

const line = (revision: number, text: string, confidence: number | null = null) =>
  ({ source: 's', event_id: 'e', revision, text, confidence }) as ContextLine
const found = (revision: number) => ({ source: 's', event_id: 'e', revision })

test('a corrected recognition says what was there before, and how sure it is', () => {
  const context = [line(-1, '全网'), line(0, '全往最低', 0.7), line(1, '全网最低', 0.86), line(2, '全网最低价')]
  expect(heard(context, found(1))).toEqual({ interim: false, corrected: true, was: '全往最低', became: '全网最低价', confidence: 0.86 })
  expect(heard(context, found(2))).toMatchObject({ was: '全网最低', became: '' })
  expect(heard(context, found(0)).became).toBe('全网最低价')
})

test('an interim one is named as such; a final one is neither, whatever came before it', () => {
  const context = [line(-1, '全网'), line(-2, '全网最'), line(0, '全网最低')]
  expect(heard(context, found(-2))).toMatchObject({ interim: true, corrected: false, was: '' })
  expect(heard(context, found(0))).toEqual({ interim: false, corrected: false, was: '', became: '', confidence: null })
})

test('lines of other events say nothing of it', () => {
  expect(heard([{ ...line(0, '别的', 0.5), event_id: 'f' }], found(1))).toEqual({ interim: false, corrected: true, was: '', became: '', confidence: null })
  expect(heard([], undefined)).toMatchObject({ interim: false, corrected: false })
})
