import type { Server } from 'node:http'

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { close, opened, shot, URL } from './kit'
import { sounding } from './sounds'

let server: Server
let address: string

beforeAll(async () => {
  ({ server, address } = await sounding())
})
afterAll(async () => {
  server.close()
  await close()
})

/** A room whose record names the recording, with an alert a minute into its broadcast. */
async function heard(room: string, path: string): Promise<void> {
  const kept = await fetch(`${URL}/api/v1/records/room/${room}`, { method: 'PUT', body: JSON.stringify({ media: address + path }) })
  if (!kept.ok) throw new Error(await kept.text())
  const now = Date.now()
  const line = (n: number, offset_ms: number, text: string) => JSON.stringify({
    id: `${room}-${n}`, room, broadcast: 'b1', kind: 'transcript', at: now + offset_ms - 60_000, offset_ms, text, speaker: { role: 'host', id: 'h' },
  })
  const body = [line(1, 51_000, '大家好'), line(2, 60_000, '今天全网最低，家人们'), line(3, 62_000, '链接在下面')].join('\n')
  const sent = await fetch(`${URL}/api/v1/events`, { method: 'POST', body })
  if (!sent.ok) throw new Error(await sent.text())
}

const time = (page: Page) => page.evaluate(() => document.querySelector<HTMLVideoElement>('.player video')!.currentTime)
const until = (page: Page, least: number) =>
  page.waitForFunction((s) => document.querySelector<HTMLVideoElement>('.player video')!.currentTime >= s, least)

test.each([
  ['wav', '/{broadcast}.wav', 50, 51], ['hls', '/{broadcast}.m3u8', 50, 51], ['flv', '/rec.flv?from={offset_s}', 0, 1],
])('a recording as %s plays from ten seconds before the words, by keys', async (kind, path, start, spoken) => {
  const room = `sound-${kind}`
  await heard(room, path)
  const { page, wrong } = await opened(`/queue?room=${room}`)
  await page.waitForSelector('.player-begin')
  await page.waitForSelector('.line.own')
  expect(await page.getAttribute('.player video', 'src')).toBeNull() // nothing loads by itself
  await page.keyboard.press(' ')
  await until(page, spoken + 0.3)
  const now = await time(page)
  expect(now).toBeLessThan(start + 8)
  await page.waitForSelector('.line.heard:has-text("大家好")')
  await page.keyboard.press('ArrowRight')
  await until(page, now + 4)
  await page.keyboard.press(' ')
  await page.waitForFunction(() => document.querySelector<HTMLVideoElement>('.player video')!.paused)
  await shot(page, `player-${kind}`)
  expect(wrong).toEqual([])
}, 60_000)

test('on the page of a broadcast it plays from where the cursor stands; arrows move the time where nothing plays', async () => {
  await heard('sound-room', '/{broadcast}.wav')
  const { page, wrong } = await opened('/rooms/sound-room')
  await page.waitForSelector('.line:has-text("大家好")')
  expect(await page.locator('.player').count()).toBe(0) // no moment is chosen
  await page.keyboard.press(']')
  await page.waitForSelector('.line.current mark:has-text("全网最低")')
  await page.waitForSelector('.player-begin')
  await page.keyboard.press(' ')
  await until(page, 50.8)
  const now = await time(page)
  expect(now).toBeLessThan(58)
  await page.waitForSelector('.line.heard:has-text("大家好")')
  await page.keyboard.press('ArrowRight')
  await until(page, now + 4)
  await shot(page, 'player-room')
  expect(wrong).toEqual([])
}, 60_000)

test('a recording that does not come says why, and can be tried again', async () => {
  await heard('sound-none', '/nothing.mp3')
  const { page, wrong } = await opened('/queue?room=sound-none')
  await page.waitForSelector('.player-begin')
  await page.keyboard.press(' ')
  await page.waitForSelector('.player-trouble:has-text("404")')
  await page.waitForSelector('.player-begin:has-text("重试")')
  expect(wrong).toEqual([])
}, 60_000)
