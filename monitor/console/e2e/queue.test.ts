import { afterAll, expect, test } from 'vitest'

import type { Schemas } from '../src/api/client'
import { ask, close, LOOKS, opened, say, shot, unfit } from './kit'

afterAll(close)

const BAD = '今天全网最低，家人们'
const chosen = '.card.chosen'

test('an alert arrives, waits to be taken in, is decided by keys, and undone', async () => {
  const room = 'keys'
  await say(room, '大家好', BAD, '链接在下面')
  const { page, wrong } = await opened(`/queue?room=${room}`)
  await page.waitForSelector(chosen)
  expect(await page.textContent('.said')).toContain(BAD)
  expect(await page.textContent('.said mark')).toBe('全网最低')
  await page.waitForSelector('.line.own')

  await say(room, '三天就能根治') // another moment
  await page.waitForSelector('.arrivals button')
  expect(await page.locator('.card').count()).toBe(1)
  await page.keyboard.press('r')
  await page.waitForFunction(() => document.querySelectorAll('.card').length === 2)
  expect(await page.textContent('.said')).toContain(BAD) // the cursor kept its card

  await page.waitForTimeout(300) // verdict keys are deaf for 250 ms after a move
  await page.keyboard.press('v')
  await page.waitForSelector('.rests')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.said-so:has-text("按 U 撤销")')
  const { alerts } = await ask<Schemas['AlertPage']>(`/api/v1/alerts?room=${room}&outcome=violation`)
  expect(alerts.map((alert) => alert.text)).toEqual([BAD])

  await page.keyboard.press('u')
  await page.waitForSelector('.said-so:has-text("已撤销")')
  const open = await ask<Schemas['AlertPage']>(`/api/v1/alerts?room=${room}&outcome=violation`)
  expect(open.alerts).toEqual([])
  await shot(page, 'queue')
  expect(wrong).toEqual([])
}, 60_000)

test('a hundred alerts are cleared by keyboard alone', async () => {
  const rooms = Array.from({ length: 100 }, (_, n) => `hundred-${n}`)
  await Promise.all(rooms.map((room) => say(room, BAD)))
  const { page, wrong } = await opened('/queue?severity=high')
  await page.waitForSelector(chosen)
  const waiting = async () => Number(/\d+/.exec((await page.textContent('.queue-head strong')) ?? '')?.[0])
  await expect.poll(waiting).toBeGreaterThanOrEqual(100)
  const took: number[] = []
  while ((await waiting()) > 1) {
    await page.waitForTimeout(260)
    took.push(await page.evaluate(() => new Promise<number>((done) => {
      const at = document.querySelector('.card.chosen')?.id
      const began = performance.now()
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'N', code: 'KeyN', shiftKey: true, bubbles: true }))
      const look = () => {
        const now = performance.now() - began
        if (document.querySelector('.card.chosen')?.id !== at) done(now)
        else if (now > 5_000) done(Infinity)
        else requestAnimationFrame(look)
      }
      look()
    })))
  }
  await page.waitForTimeout(260)
  await page.keyboard.press('Shift+N') // the last card has no next
  took.sort((a, b) => a - b)
  process.stdout.write(`decide and next: median ${took[took.length >> 1]!.toFixed(0)} ms, longest ${took.at(-1)!.toFixed(0)} ms\n`)
  expect(took.at(-1)).toBeLessThan(5_000)
  await expect.poll(async () => {
    const { alerts } = await ask<Schemas['AlertPage']>('/api/v1/alerts?outcome=no_violation&limit=200')
    return alerts.filter((alert) => alert.room.startsWith('hundred-')).length
  }, { timeout: 20_000 }).toBe(100)
  expect(wrong).toEqual([])
}, 120_000)

test('every theme and language passes the rules of contrast and names', async () => {
  await say('axe', BAD)
  for (const { colorScheme, language } of LOOKS) {
    const { page, wrong } = await opened('/queue', { colorScheme }, language)
    await page.waitForSelector(chosen)
    await page.waitForSelector('.line.own')
    expect(await unfit(page)).toEqual([])
    await shot(page, `queue-${colorScheme}-${language}`)
    expect(wrong).toEqual([])
  }
}, 60_000)
