import { expect, test } from 'vitest'

import { kindOf, sourceOf } from './media'

const moment = { room: 'r/1', broadcast: 'b 1', offset: 95_500, at: 1_000_000 }

test('the kind is told by the path, whatever is behind it', () => {
  expect(['https://a/x.M3U8?t=1', 'https://a/{room}.flv#x', 'https://a/x.mp4?of=.flv', 'demo:food'].map(kindOf)).toEqual(['hls', 'flv', 'file', 'file'])
})

test('what comes whole is begun ten seconds before the words', () => {
  expect(sourceOf({ ...moment, address: 'https://a/{broadcast}.mp4' })).toEqual({
    url: '/api/v1/rooms/r%2F1/media?broadcast=b+1&offset_ms=0', kind: 'file', start: 85.5, zero: 904_500,
  })
})

test('what comes from a second on begins by itself', () => {
  expect(sourceOf({ ...moment, address: 'https://a/rec.flv?from={offset_s}' })).toEqual({
    url: '/api/v1/rooms/r%2F1/media?broadcast=b+1&offset_ms=85500', kind: 'flv', start: 0, zero: 904_500 + 85_000,
  })
})

test('near the begin it plays from the begin; of a live stream and an unknown place no time is told', () => {
  expect(sourceOf({ ...moment, offset: 4_000, address: 'https://a/x.mp3' }).start).toBe(0)
  expect(sourceOf({ ...moment, address: 'https://a/live/{room}.flv' })).toMatchObject({ start: 0, zero: null })
  expect(sourceOf({ ...moment, offset: null, address: 'https://a/x.mp3' })).toMatchObject({ start: 0, zero: null })
})
