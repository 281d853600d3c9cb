import type { Page } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'

import type { Schemas } from '../src/api/client'
import { ask, close, joined, opened, say, shot, signIn, steer, URL } from './kit'

afterAll(close)

const BAD = '今天全网最低，家人们'
const DEAF = 300

async function decide(page: Page, key: string): Promise<void> {
  await page.waitForTimeout(DEAF)
  await page.keyboard.press(key)
  await page.waitForSelector('.rests')
  await page.keyboard.press('Enter')
}

const outcomes = async (room: string) =>
  (await ask<Schemas['AlertPage']>(`/api/v1/alerts?room=${room}`)).alerts.map((alert) => alert.outcome ?? '')

test('hostile, long and strange texts are text, and stay within their place', async () => {
  const texts = [
    `<img src=x onerror=alert(1)><script>alert(2)</script>"'&amp; 全网最低`,
    `${'很长的一句话，'.repeat(560)}全网最低`.slice(-4_000),
    `😀👨‍👩‍👧‍👦🏳️‍🌈 全网最低 ${'🔥'.repeat(200)}`,
    `\u202E全网最低\u202C ﷽ Z̸̢͎a̷l̵g̶o̴ 全网最低`,
  ]
  for (const [n, text] of texts.entries()) await say(`strange<${n}>`, text)
  const { page, wrong } = await opened('/queue')
  const seen: string[] = []
  await page.waitForSelector('.card.chosen')
  for (let n = 0; n < texts.length; n++) {
    await page.waitForSelector('.said mark')
    seen.push((await page.textContent('.said'))!)
    const box = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, said: document.querySelector('.said')!.clientHeight }))
    expect(box.wide).toBeLessThanOrEqual(1440)
    expect(box.said).toBeLessThan(340)
    await page.keyboard.press('j')
  }
  expect(seen.some((text) => text.includes('<script>alert(2)</script>'))).toBe(true)
  expect(wrong).toEqual([])
})

test('a decision waits out a service that is gone, and goes out once it is back', async () => {
  await say('gone', BAD)
  const { page } = await opened('/queue?room=gone')
  await page.waitForSelector('.line.own')
  await steer('kill')
  await page.waitForSelector('.band')
  await decide(page, 'n')
  await page.waitForSelector('.said-so:has-text("未发出")')
  await shot(page, 'offline')
  await steer('start')
  await page.waitForSelector('.said-so:has-text("已记录")', { timeout: 60_000 })
  await page.waitForFunction(() => !document.querySelector('.band'), undefined, { timeout: 60_000 })
  expect(await outcomes('gone')).toEqual(['no_violation'])
}, 180_000)

test('a page that is opened anew sends what the last one could not', async () => {
  await say('reopened', BAD)
  const { page } = await opened('/queue?room=reopened')
  await page.waitForSelector('.line.own')
  await page.route('**/api/v1/moves', (route) => route.abort())
  await decide(page, 'n')
  await page.waitForSelector('.said-so:has-text("未发出")')
  await page.unroute('**/api/v1/moves')
  await page.reload()
  await expect.poll(() => outcomes('reopened'), { timeout: 20_000 }).toEqual(['no_violation'])
})

test('a session that ends in the middle of a decision asks for a sign-in in place, then the decision goes out', async () => {
  await say('signed', BAD)
  const { page } = await opened('/queue?room=signed', { storageState: await joined('li') })
  await page.waitForSelector('.line.own')
  await page.context().addCookies([{ name: 'redpost', value: 'over', url: URL }])
  await decide(page, 'v')
  await page.waitForSelector('.said-so:has-text("未发出")')
  await page.waitForSelector('.sign-in', { timeout: 40_000 })
  await shot(page, 'signed-out')
  await signIn(page, 'li')
  await page.waitForSelector('.said-so:has-text("已记录")', { timeout: 20_000 })
  const [alert] = (await ask<Schemas['AlertPage']>('/api/v1/alerts?room=signed')).alerts
  expect(alert?.outcome).toBe('violation')
  const { moves } = await ask<Schemas['History']>(`/api/v1/alerts/${alert!.id}/history`)
  expect(moves.at(-1)?.by).toBe('li')
}, 90_000)

test('of two reviewers on one card one decides; the other sees by whom they were not first', async () => {
  await say('both', BAD)
  const first = await opened('/queue?room=both', { storageState: await joined('wang') })
  const second = await opened('/queue?room=both', { storageState: await joined('zhao') })
  for (const { page } of [first, second]) await page.waitForSelector('.line.own')
  await first.page.waitForSelector('.who') // the other one's look
  await second.page.route('**/api/v1/alerts/stream*', (route) => route.abort())
  await second.page.reload() // it hears of nothing any more
  await second.page.waitForSelector('.line.own')
  await first.page.waitForTimeout(DEAF)
  await first.page.keyboard.press('Shift+V')
  await expect.poll(() => outcomes('both')).toEqual(['violation'])
  await second.page.waitForTimeout(DEAF)
  await second.page.keyboard.press('Shift+N')
  await second.page.waitForSelector('.decisions [role=alert]')
  expect(await second.page.textContent('.decisions [role=alert]')).toContain('违规')
  await shot(second.page, 'conflict')
  expect(await outcomes('both')).toEqual(['violation'])
}, 60_000)
