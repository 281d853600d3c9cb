import { expect, test } from 'vitest'

import type { Alert } from '../../api/client'
import { neighbour } from './beside'

const alert = (id: string, at: number, moment = id) => ({ id, at, moment }) as Alert

test('the nearest in time comes first, whatever the order in which they were read', () => {
  const all = [alert('d', 40), alert('a', 10), alert('c', 30), alert('b', 20)]
  expect(neighbour(all, all[2]!, -1)?.id).toBe('b')
  expect(neighbour(all, all[2]!, 1)?.id).toBe('d')
  expect(neighbour(all, all[1]!, -1)).toBeUndefined()
})

test('alerts of one moment are one card, so they are passed over; those at one time have an order all the same', () => {
  const all = [alert('a', 10), alert('b', 20, 'm'), alert('c', 20, 'm'), alert('d', 20)]
  expect(neighbour(all, all[1]!, 1)?.id).toBe('d')
  expect(neighbour(all, all[3]!, -1)?.id).toBe('c')
  expect(neighbour(all, all[1]!, -1)?.id).toBe('a')
})
