import { expect, test } from 'vitest'

import { moveAll, type Progress, type Step } from './stormwork'

const steps: Step[] = [
  { moved: 500, refused: {}, left: 700, next: 'a' },
  { moved: 498, refused: { x: 'no', y: 'not now' }, left: 202, next: 'b' },
  { moved: 200, refused: {}, left: 2, next: null },
]

test('it goes on from each cursor until none is left, and tells how far it is', async () => {
  const asked: (string | null)[] = []
  const told: Progress[] = []
  const step = (cursor: string | null) => Promise.resolve(steps[asked.push(cursor) - 1]!)
  await moveAll(step, (progress) => told.push(progress), new AbortController().signal)
  expect(asked).toEqual([null, 'a', 'b'])
  expect(told.map((each) => each.left)).toEqual([700, 202, 2])
  expect(told.at(-1)).toEqual({ moved: 1198, refused: 2, why: 'no', left: 2 })
})

test('whoever leaves ends it after the step that runs', async () => {
  const leaving = new AbortController()
  let n = 0
  const step = () => {
    leaving.abort()
    return Promise.resolve(steps[n++]!)
  }
  await moveAll(step, () => {}, leaving.signal)
  expect(n).toBe(1)
})
