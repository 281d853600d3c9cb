/** The first person of a new service, who lets others in, and an operator of rules: each with a session of their own. */
import { afterAll, expect, test } from 'vitest'

import type { Schemas } from '../src/api/client'
import { accept, ask, close, joined, opened, say, shot, URL } from './kit'

afterAll(close)

const NEW = '全村第一便宜'

test('an administrator comes in by the first link, lets somebody in, routes, names a channel, and reads trail and models', async () => {
  const { page, wrong } = await opened(process.env.REDPOST_FIRST!)
  await accept(page)
  await page.click('.top nav a:has-text("管理")')
  await page.click('.admin nav a:has-text("用户")')
  await page.click('.records-head button')
  await page.fill('#login', 'zhou')
  await page.click('.editor footer button')
  await page.waitForSelector('.record.chosen:has-text("zhou")')
  await page.click('.extra button')
  const invitation = await page.inputValue('.invited input')
  await shot(page, 'journey-admin-1-invited')
  const guest = await opened(invitation.replace(URL, ''))
  await accept(guest.page)
  await guest.page.waitForSelector('button:has-text("登出")')
  await guest.page.context().close()

  const make = async (part: string, id: string, title: string) => {
    await page.click(`.admin nav a:has-text("${part}")`)
    await page.click('.records-head button')
    await page.fill('.editor .field-line:nth-child(1) input', id)
    await page.locator('.editor .field-line:has(label:has-text("名称")) input').fill(title)
  }
  await make('岗位', 'night', '夜班')
  await page.click('.editor footer button')
  await page.waitForSelector('.record.chosen:has-text("夜班")')
  await page.goto(`${URL}/admin/routes/+`)
  await page.fill('.editor .field-line:nth-child(1) input', 'tenant')
  await page.fill('textarea.code', 'post: night')
  await page.click('.editor footer button')
  await page.waitForSelector('.record.chosen:has-text("tenant")')
  await page.click('.try button')
  await page.waitForSelector('.extra [role=status]:has-text("夜班")')
  await shot(page, 'journey-admin-2-routes')

  await make('通知渠道', 'desk', '值班群')
  await page.locator('.editor .field-line:has(label:has-text("地址")) input').fill('https://hooks.example.com/desk')
  await page.locator('.editor .field-line:has(label:has-text("签名密钥")) input').fill('s'.repeat(20))
  await page.click('.editor footer button')
  await page.waitForSelector('.record.chosen:has-text("值班群")')

  await page.click('.admin nav a:has-text("操作记录")')
  await page.waitForSelector('.told-table tr:has-text("zhou")')
  await page.waitForSelector('.told-table tr:has-text("admin")')
  await shot(page, 'journey-admin-3-trail')
  await page.click('.admin nav a:has-text("分类器")')
  await page.waitForSelector('.lines-list .chip:has-text("在用")')
  await shot(page, 'journey-admin-4-models')
  expect(wrong).toEqual([])
}, 90_000)

test('an operator edits a rule with a fault, mends it, tries, saves, runs it dry, publishes, and takes it back', async () => {
  await say('rule-before', `我们家${NEW}`)
  const { page, wrong } = await opened('/rules/shop.lowest', { storageState: await joined('fang', 'operator') })
  await page.waitForSelector('.bench-panel .switch:has-text("用例")')
  const type = async (words: string) => {
    await page.locator('.cm-line', { hasText: 'title:' }).first().click()
    await page.keyboard.press('Home')
    await page.keyboard.insertText(words)
  }
  await type('x')
  await page.waitForSelector('.fault:has-text("xtitle")')
  expect(await page.locator('.bench-bar button:has-text("保存")').isDisabled()).toBe(true)
  await shot(page, 'journey-operator-1-fault')
  await page.keyboard.press('Backspace')
  await page.waitForSelector('.fault', { state: 'detached' })

  await page.fill('.trial-text', `我们家${NEW}`)
  await page.locator('.cm-line', { hasText: '史上最低' }).first().click()
  await page.keyboard.press('End')
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.insertText(`, ${NEW}`)
  await page.waitForSelector(`.tried mark:has-text("${NEW}")`)
  await page.waitForSelector('.bench-bar button:has-text("保存"):enabled')
  await shot(page, 'journey-operator-2-tried')
  await page.locator('.cm-content').press('Control+s')
  await page.waitForSelector('.bench-said:has-text("已存为第 1 版")')
  await page.click('.bench-bar button:has-text("试运行 2 小时")')
  await page.waitForSelector(`.sample:has-text("${NEW}")`)
  await shot(page, 'journey-operator-3-dry')
  await page.click('.bench-bar button:has-text("现在发布")')
  await page.waitForSelector('.bench-bar:has-text("第 1 版已生效")')
  const found = async (room: string) => (await ask<Schemas['AlertPage']>(`/api/v1/alerts?room=${room}`)).alerts.length
  await say('rule-after', `今天${NEW}`)
  await expect.poll(() => found('rule-after'), { timeout: 10_000 }).toBe(1)
  await page.click('.bench-panel .switch button:has-text("版本")')
  await page.click('.rule-versions li:has-text("目录原文") button:has-text("回到这一版")')
  await page.waitForSelector('.bench-head:has-text("生效：规则目录原文")')
  await say('rule-back', `今天${NEW}`, '今天全网最低')
  await expect.poll(() => found('rule-back'), { timeout: 10_000 }).toBe(1)
  await shot(page, 'journey-operator-4-back')
  expect(wrong).toEqual([])
}, 90_000)
