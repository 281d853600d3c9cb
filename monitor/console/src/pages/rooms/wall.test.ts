import { expect, test } from 'vitest'

import { askedOf, below, byRisk, inOrder, matching, paramsOf, type OnAir } from './wall'

const room = (name: string, over: Partial<OnAir> = {}): OnAir => ({
  room: name, broadcast: 'b', started_at: 0, last_at: 0, alerts_open: 0, silent: false, mute: false, heard_at: 0, findings: [0, 0], worst: [0, 0], title: '', platform: '',
  unit: '', known: true, ...over,
})
const ABOVE = new Map([['east', ''], ['night', 'east'], ['loop', 'loop']])

test('the address has only what is set, and comes back', () => {
  const asked = askedOf(new URLSearchParams('unit=east&only=quiet&name=一号'))
  expect(paramsOf(asked)).toEqual({ unit: 'east', only: 'quiet', name: '一号' })
  expect(askedOf(new URLSearchParams('only=other')).only).toBe('')
})

test('a unit has all below it', () => {
  expect([below(ABOVE, 'night', 'east'), below(ABOVE, 'east', 'night'), below(ABOVE, 'loop', 'x'), below(ABOVE, '', 'east')]).toEqual([true, false, false, false])
})

test('filters narrow together', () => {
  const rooms = [room('a', { unit: 'night', platform: 'douyin' }), room('b', { platform: 'douyin', mute: true }), room('c', { title: '一号店', findings: [0, 2] })]
  const none = { unit: '', platform: '', name: '', only: '' } as const
  const names = (over: object) => matching(rooms, { ...none, ...over }, ABOVE).map((each) => each.room).join('')
  expect([names({}), names({ unit: 'east' }), names({ platform: 'douyin', only: 'quiet' }), names({ only: 'risk' }), names({ name: '一号' })]).toEqual(['abc', 'a', 'b', 'c', 'c'])
})

test('the gravest stands first, behind those without a sign; nothing moves until it is sorted again', () => {
  const rooms = [room('calm'), room('many', { findings: [3, 0], worst: [2, 0] }), room('grave', { findings: [2, 0], worst: [5, 0] }), room('lost', { silent: true }), room('hushed', { mute: true })]
  const order = byRisk(rooms)
  expect(order).toEqual(['lost', 'hushed', 'grave', 'many', 'calm'])
  const later = [room('calm', { findings: [9, 9], worst: [5, 5] }), room('new'), room('lost'), room('grave')]
  expect(inOrder(later, order).map((each) => each.room)).toEqual(['lost', 'grave', 'calm', 'new'])
})
