import { afterAll, expect, test } from 'vitest'

import { close, LOOKS, opened, shot, unfit } from './kit'

afterAll(close)

const SCRIPT = '大家晚上好\n\n今天这款全网最低\n这碗汤三天根治咳嗽\n我的电话是13812345678\n好，先给大家试吃一块'

test('a script is pasted, read by keys, put right in place and checked again; versions are compared', async () => {
  const { page, wrong } = await opened('/checks')
  await page.waitForSelector('.check-text')
  await page.getByLabel('名称').fill('浏览器测试')
  await page.fill('.check-text', SCRIPT)
  await page.click('.check-send button[type=submit]')
  await page.waitForSelector('.script-line mark')
  expect(await page.textContent('.script-line:has(mark) mark')).toContain('全网最低')
  expect(await page.textContent('.check-lines')).not.toContain('13812345678') // what is kept has no contact data

  await page.keyboard.press('k') // already at the first
  await page.keyboard.press('j')
  await page.waitForSelector('.finding h2:has-text("治愈")')
  await page.keyboard.press('k')
  await page.waitForSelector('.finding h2:has-text("最低价")')

  await page.keyboard.press('e') // the line of the cursor, edited where it stands
  await page.fill('.line-field', '今天这款是店里今年的好价')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.script-line .chip.inverse')
  const cancer = page.locator('.script-line', { hasText: '三天根治' })
  await cancer.locator('.offer').first().click()
  await page.waitForFunction(() => document.querySelectorAll('.script-line .chip.inverse').length === 2)
  await shot(page, 'checks-changed')
  await page.keyboard.press('c')
  await page.waitForSelector('.check-facts:has-text("第 2 版")')
  expect(await page.textContent('.check-lines')).toContain('今天这款是店里今年的好价')
  expect(await page.textContent('.check-lines')).toContain('三天润一润嗓子咳嗽')
  expect(await page.locator('.script-line').count()).toBe(5) // with the telephone number, which this page knew

  await page.click('.check-facts a:has-text("与第 1 版比")')
  await page.waitForSelector('.compared .gone')
  expect(await page.locator('.compared .new').first().textContent()).toContain('店里今年的好价')
  await shot(page, 'checks-compared')
  expect(wrong).toEqual([])
}, 60_000)

test('a file is chosen and named; what is no script is refused before it is sent', async () => {
  const { page, wrong } = await opened('/checks')
  const chosen = page.locator('input[type=file]')
  await chosen.setInputFiles({ name: 'a.exe', mimeType: 'application/octet-stream', buffer: Buffer.from('x') })
  await page.waitForSelector('[role=alert]:has-text(".docx")')
  const old = Buffer.from([0xb4, 0xf3, 0xbc, 0xd2, 0xba, 0xc3]) // 大家好 in GB 18030
  await chosen.setInputFiles({ name: '早场.txt', mimeType: 'text/plain', buffer: old })
  await expect.poll(() => page.inputValue('.check-text')).toBe('大家好')
  expect(await page.getByLabel('名称').inputValue()).toBe('早场')
  await page.click('.check-send button[type=submit]')
  await page.waitForSelector('.check-head .chip:has-text("没有问题")')
  expect(wrong).toEqual([])
}, 60_000)

test('every theme and language passes the rules of contrast and names', async () => {
  for (const { colorScheme, language } of LOOKS) {
    const { page, wrong } = await opened('/checks', { colorScheme }, language)
    await page.waitForSelector('.script:nth-child(1)')
    const look = async (name: string) => {
      expect(await unfit(page)).toEqual([])
      await shot(page, `${name}-${colorScheme}-${language}`)
    }
    await look('checks-new')
    await page.click('.script-name:has-text("浏览器测试")')
    await page.waitForSelector('.script-line')
    await page.click('.versions li:last-child a')
    await page.waitForSelector('.script-line mark')
    await look('checks')
    expect(wrong).toEqual([])
  }
}, 90_000)
