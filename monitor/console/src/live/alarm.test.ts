import { expect, test } from 'vitest'

import type { Alert } from '../api/client'
import { Pace, urgencyOf } from './alarm'

test('tones keep their distance, and a flood sounds for what is critical only', () => {
  const pace = new Pace()
  expect(pace.take('high', 0)).toBe(true)
  expect(pace.take('critical', 4_999)).toBe(false)
  for (let n = 1; n < 10; n++) expect(pace.take('high', n * 6_000)).toBe(true)
  expect(pace.take('high', 70_000)).toBe(false)
  expect(pace.take('critical', 70_000)).toBe(true)
  expect(pace.take('high', 700_001)).toBe(true) // ten minutes later
})

test('what is new and high sounds; what is held, moved or low does not', () => {
  const update = (what: 'opened' | 'moved', over: Partial<Alert>) => ({ what, alert: { state: 'open', severity: 'high', tier: 'standard', ...over } as Alert })
  expect(urgencyOf(update('opened', {}))).toBe('high')
  expect(urgencyOf(update('opened', { severity: 'medium', tier: 'care' }))).toBe('critical')
  expect(urgencyOf(update('opened', { severity: 'medium' }))).toBeNull()
  expect(urgencyOf(update('opened', { state: 'held' }))).toBeNull()
  expect(urgencyOf(update('moved', {}))).toBeNull()
})
