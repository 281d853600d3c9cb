import { expect, test } from 'vitest'

import { pressed, type Stroke } from './pressed'
import { grouped, groups, KEYS, labels, type Key } from './registry'

const stroke = (over: Partial<Stroke>): Stroke => ({
  key: 'v', code: 'KeyV', keyCode: 86, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, isComposing: false,
  editable: false, ...over,
})

const SCOPES = [...new Set(Object.values(KEYS).map(({ scope }) => scope))]

test('no key has two owners in one scope, nor one that holds everywhere', () => {
  const owners = new Map<string, string>()
  for (const [action, { keys, scope }] of Object.entries(KEYS) as [string, Key][])
    for (const key of keys)
      for (const where of scope === 'any' ? SCOPES : [scope]) {
        const owner = owners.get(`${where} ${key}`)
        expect(owner, `${key} in ${where}`).toBeUndefined()
        owners.set(`${where} ${key}`, action)
      }
})

test('every action has its words, and no words lack an action', () => {
  expect(Object.keys(labels.zh).sort()).toEqual(Object.keys(KEYS).sort())
})

test('every key stands in one group, under words of both languages, and no group is empty', () => {
  const found = grouped()
  expect(found.flatMap(([, actions]) => actions).sort()).toEqual(Object.keys(KEYS).sort())
  expect(found.filter(([, actions]) => actions.length === 0)).toEqual([])
  expect(Object.keys(groups.en).sort()).toEqual(found.map(([group]) => group).sort())
})

test('letters go by themselves, with shift, and with caps lock as if it were off', () => {
  expect(pressed(stroke({}))).toBe('v')
  expect(pressed(stroke({ key: 'V', shiftKey: true }))).toBe('Shift+v')
  expect(pressed(stroke({ key: 'V' }))).toBe('v')
  expect(pressed(stroke({ key: 'k', code: 'KeyK', ctrlKey: true }))).toBe('Mod+k')
  expect(pressed(stroke({ altKey: true }))).toBeNull()
})

test('while an input method composes, nothing is ours', () => {
  expect(pressed(stroke({ isComposing: true }))).toBeNull()
  expect(pressed(stroke({ isComposing: true, key: 'Enter', editable: true }))).toBeNull()
  expect(pressed(stroke({ keyCode: 229, key: 'Enter', editable: true }))).toBeNull()
})

test('an input method that is on outside of fields does not swallow keys', () => {
  expect(pressed(stroke({ key: 'Process', keyCode: 229 }))).toBe('v')
  expect(pressed(stroke({ key: '？', code: 'Slash', shiftKey: true }))).toBe('?')
  expect(pressed(stroke({ key: 'Process', code: 'Digit3', keyCode: 229 }))).toBe('3')
  expect(pressed(stroke({ key: '【', code: 'BracketLeft' }))).toBe('[')
})

test('in a field only Escape and modified keys are ours', () => {
  expect(pressed(stroke({ editable: true }))).toBeNull()
  expect(pressed(stroke({ editable: true, key: 'Escape', code: 'Escape' }))).toBe('Escape')
  expect(pressed(stroke({ editable: true, key: 'k', metaKey: true }))).toBe('Mod+k')
})
