/** A browser that was away: offline, asleep, signed out; and one that is open twice. */
import type { Page } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'

import { close, joined, opened, say, shot, signIn, URL } from './kit'

afterAll(close)

const BAD = '今天全网最低，家人们'

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

/** What the queue holds in all: the cards, and those that wait to be taken in. */
async function taken(page: Page, count: number): Promise<string[]> {
  await page.keyboard.press('r')
  await page.waitForFunction((n) => document.querySelectorAll('.card').length >= n, count)
  return (await page.locator('.card .card-foot').allTextContents()).map((foot) => /nap-\d/.exec(foot)![0]).sort()
}

test('a browser that sleeps and comes back has every alert once', async () => {
  await say('nap-1', BAD)
  const { page, wrong } = await opened('/queue')
  await page.waitForSelector('.card')
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' })
  await page.context().setOffline(true)
  for (const room of ['nap-2', 'nap-3']) await say(room, BAD)
  await page.context().setOffline(false)
  await devtools.send('Page.setWebLifecycleState', { state: 'active' })
  await say('nap-4', BAD)
  await page.waitForSelector('.arrivals:has-text("新到 3 条")')
  expect(await taken(page, 4)).toEqual(['nap-1', 'nap-2', 'nap-3', 'nap-4'])
  expect(wrong).toEqual([])
}, 60_000)

test('of two tabs of one person either reads on when the other is closed, and both see what one decides', async () => {
  const first = await opened('/queue?room=tabs', { storageState: await joined('sun') })
  const second = await first.page.context().newPage()
  await second.goto(`${URL}/queue?room=tabs`)
  await second.waitForSelector('.empty')
  await say('tabs', BAD)
  for (const page of [first.page, second]) {
    await page.waitForSelector('.arrivals button')
    await page.keyboard.press('r')
    await page.waitForSelector('.card.chosen')
  }
  await second.waitForTimeout(300)
  await second.keyboard.press('Shift+N')
  await first.page.waitForSelector('.settled:has-text("你")')
  await first.page.close() // it had read the stream for both
  await say('tabs', '三天就能根治')
  await second.waitForSelector('.arrivals button')
  expect(first.wrong).toEqual([])
}, 60_000)

/** Each page, something that is typed there, and the act that the service has to answer. */
const TYPED = {
  rules: { path: '/rules/shop.rank', field: '.bench-note', act: (page: Page) => page.click('.bench-bar button:has-text("保存")'), begin: async (page: Page) => {
    await page.locator('.cm-line', { hasText: 'title' }).first().click()
    await page.keyboard.press('End')
    await page.keyboard.insertText('改')
    await page.waitForSelector('.bench-bar button:has-text("保存"):enabled')
  }, told: '.bench-said' },
  checks: { path: '/checks', field: '.check-text', act: (page: Page) => page.click('.check-send button[type=submit]'), begin: (page: Page) => page.getByLabel('名称').fill('离线'), told: '.check-send [role=alert]' },
  admin: { path: '/admin/unit/+', field: '.editor .field-line:nth-child(2) input', act: (page: Page) => page.click('.editor footer button'), begin: (page: Page) => page.fill('.editor .field-line:nth-child(1) input', 'away'), told: '.editor .fault' },
  rooms: { path: '/rooms', field: '.searching input', act: (page: Page) => page.press('.searching input', 'Enter'), begin: async () => {}, told: '.empty[role=alert]' },
}

test.each(Object.entries(TYPED))('on %s, offline and with a session that is over, nothing that was typed is lost, and it says what to do', async (name, { path, field, act, begin, told }) => {
  const login = `away-${name}`
  const { page, wrong } = await opened(path, { storageState: await joined(login, 'unit_admin') })
  await page.waitForSelector('.top nav a.active')
  await begin(page)
  await page.fill(field, '还没有保存的话')
  await page.context().setOffline(true)
  await act(page)
  await page.waitForSelector(`${told}:has-text("没有连上服务")`)
  expect(await page.inputValue(field)).toBe('还没有保存的话')
  await page.context().setOffline(false)

  await page.context().addCookies([{ name: 'redpost', value: 'over', url: URL }])
  await act(page)
  await page.waitForSelector('.band .sign-in')
  expect(await page.inputValue(field)).toBe('还没有保存的话')
  await shot(page, `away-${name}`)
  await signIn(page, login)
  await page.waitForSelector('.band', { state: 'detached' })
  expect(await page.inputValue(field)).toBe('还没有保存的话')
  expect(wrong).toEqual([])
}, 60_000)
