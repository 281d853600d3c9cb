/** A browser that was away: offline, asleep, signed out; and one that is open twice. */
import { afterAll, expect, test } from 'vitest'

import { close, opened, URL } from './kit'

afterAll(close)

test('a page whose code does not come says so, and opens once the line is back', async () => {
  const { page, wrong } = await opened('/queue')
  await page.waitForSelector('.top nav')
  await page.context().setOffline(true)
  await page.click('.top nav a:has-text("规则")')
  await page.waitForSelector('.whole[role=alert]:has-text("没有连上服务")')
  expect(page.url()).toBe(`${URL}/rules`)
  await page.context().setOffline(false)
  await page.waitForSelector('.rule-row')
  expect(wrong).toEqual([])
}, 30_000)
