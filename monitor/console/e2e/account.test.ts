import type { Page } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'

import { close, joined, LOOKS, opened, shot, unfit, URL } from './kit'

afterAll(close)

const OLD = 'correct horse battery'
const NEW = 'staple battery correct'
const OVER = { cookies: [{ name: 'redpost', value: 'over', domain: new globalThis.URL(URL).hostname, path: '/', expires: -1, httpOnly: true, secure: false, sameSite: 'Strict' as const }], origins: [] }

/** Where the session is over, whatever page was asked for. */
async function signIn(password: string): Promise<Page> {
  const { page } = await opened('/admin/me', { storageState: OVER })
  await page.fill('.whole input[autocomplete=username]', 'qian')
  await page.fill('.whole input[type=password]', password)
  await page.keyboard.press('Enter')
  return page
}

/** Signed out: asked to sign in, or a program of this machine, once the cookie is gone. */
const SIGNED_OUT = '.whole input[autocomplete=username], .whole-part:has-text("本机程序没有账号")'

const sessions = (page: Page) => page.locator('.lines-list > li').count()

async function change(page: Page, ...values: string[]): Promise<void> {
  for (const [n, value] of values.entries()) await page.locator('.password input').nth(n).fill(value)
  await page.click('.password button')
}

test('a password is changed, which ends the other sessions; one is signed out from another, and oneself', async () => {
  const first = (await opened('/admin/me', { storageState: await joined('qian') })).page
  const page = await signIn(OLD)
  await page.waitForSelector('.lines-list .chip:has-text("就是这里")')
  await expect.poll(() => sessions(page)).toBe(2)
  expect(await page.textContent('.whole-part .pairs')).toContain('研判')

  for (const [values, fault] of [[[OLD, 'short', 'short'], '至少 12'], [[OLD, NEW, `${NEW}!`], '两次不一样'], [['not the old one', NEW, NEW], '']] as const) {
    await change(page, ...values)
    await page.waitForSelector(`.password [role=alert]:has-text("${fault}")`)
  }
  await change(page, OLD, NEW, NEW)
  await page.waitForSelector('.password [role=status]:has-text("已改")')
  await expect.poll(() => sessions(page)).toBe(1)
  await first.reload()
  await first.waitForSelector(SIGNED_OUT)

  const refused = await signIn(OLD)
  await refused.waitForSelector('.whole [role=alert]')
  const other = await signIn(NEW)
  await other.waitForSelector('.lines-list')
  await page.reload()
  await expect.poll(() => sessions(page)).toBe(2)
  await shot(page, 'account')
  await page.click('.lines-list button:has-text("登出")')
  await page.click('.lines-list button:has-text("确认登出")')
  await expect.poll(() => sessions(page)).toBe(1)
  await other.reload()
  await other.waitForSelector(SIGNED_OUT)

  await page.click('.top-right button:has-text("登出")')
  await page.waitForURL(`${URL}/`)
  await page.waitForSelector('.top')
  expect(await page.locator('.top-right button:has-text("登出")').count()).toBe(0)
}, 90_000)

test('account, sign-in, invitation and help pass the rules of contrast and names', async () => {
  const storageState = await joined('sun')
  for (const { colorScheme, language } of LOOKS) {
    const look = { colorScheme, viewport: { width: 1280, height: 720 } }
    const { page, wrong } = await opened('/admin/me', { ...look, storageState }, language)
    await page.waitForSelector('.lines-list')
    expect(await unfit(page)).toEqual([])
    await page.keyboard.press('h')
    await page.waitForSelector('.help section:nth-child(8)')
    expect(await page.evaluate(() => [...document.querySelectorAll('.panel')].every((box) => box.scrollHeight <= box.clientHeight))).toBe(true)
    expect(await unfit(page)).toEqual([])
    await shot(page, `help-${colorScheme}-${language}`)
    expect(wrong).toEqual([])
    for (const [path, seen, state] of [['/queue', '.whole input[type=password]', OVER], ['/invitations/used', '.whole [role=alert]', { cookies: [], origins: [] }]] as const) {
      const { page: outside } = await opened(path, { ...look, storageState: { cookies: [...state.cookies], origins: [] } }, language)
      await outside.waitForSelector(seen)
      expect(await unfit(outside), path).toEqual([])
      if (path === '/queue') {
        expect(await outside.evaluate(() => document.activeElement?.getAttribute('autocomplete'))).toBe('username')
        await outside.click('.head-line button')
        await outside.waitForSelector(`.title:has-text("${language === 'zh' ? 'Sign in' : '登录'}")`)
      }
    }
  }
}, 90_000)
