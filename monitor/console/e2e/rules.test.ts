import type { Page } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'

import type { Schemas } from '../src/api/client'
import { ask, call, close, LOOKS, opened, say, shot, unfit, URL } from './kit'

afterAll(close)

const RULE = 'shop.lowest'
const NEW = '全村第一便宜'

/** `good`: it has no faults. */
async function atRule(page: Page, rule = RULE, good = true): Promise<void> {
  await page.waitForSelector('.rule-row')
  await page.fill('.rule-list-head input', rule)
  await page.click(`.rule-row:has-text("${rule}")`)
  await page.waitForSelector('.bench .cm-content')
  if (good) await page.waitForSelector('.bench-panel .switch:has-text("用例")')
}

/** Puts words before others in the editor, as somebody would who types there. */
async function type(page: Page, before: string, words: string): Promise<void> {
  const text = await page.locator('.cm-line', { hasText: before }).first().textContent()
  await page.locator('.cm-line', { hasText: before }).first().click()
  await page.keyboard.press('Home')
  for (let i = 0; i < text!.indexOf(before) - /^\s*/.exec(text!)![0].length; i++) await page.keyboard.press('ArrowRight')
  await page.keyboard.insertText(words)
}

/** Saves what is in the editor and publishes it unconfirmed by a dry run, as this version. */
async function published(page: Page, version: number): Promise<void> {
  await page.locator('.cm-content').press('Control+s')
  await page.waitForSelector(`.bench-said:has-text("已存为第 ${version} 版")`)
  await page.click('.bench-bar button:has-text("现在发布")')
  await page.fill('#confirm', '0')
  await page.keyboard.press('Enter')
  await page.waitForSelector(`.bench-bar:has-text("第 ${version} 版已生效")`)
}

test('a rule is edited, tried, saved, run over what was said, published, and taken back', async () => {
  await say('rules', '大家好', `我们家${NEW}`)
  const { page, wrong } = await opened('/rules')
  await atRule(page)
  await page.fill('.trial-text', `我们家${NEW}`)
  await page.waitForSelector('.tried')
  expect(await page.locator('.tried mark').count()).toBe(0)

  await type(page, '全网最低', `${NEW}, `)
  await page.waitForSelector(`.tried mark:has-text("${NEW}")`)
  expect(await page.textContent('.tried .small')).toContain('本规则')
  await shot(page, 'rules-tried')

  await page.fill('.bench-note', '加一个说法')
  await page.locator('.cm-content').press('Control+s')
  await page.waitForSelector('.bench-said:has-text("已存为第 1 版")')
  await page.click('.bench-bar button:has-text("现在发布")')
  await page.waitForSelector('.asking:has-text("还没试运行")') // nobody knows what it brings
  await page.click('.asking button:has-text("取消")')

  await page.click('.bench-bar button:has-text("试运行 2 小时")')
  await page.waitForSelector(`.sample:has-text("${NEW}")`)
  await shot(page, 'rules-dry')
  await page.click('.bench-bar button:has-text("现在发布")')
  await page.waitForSelector('.bench-bar:has-text("第 1 版已生效")')
  await say('rules-after', `今天${NEW}`)
  const found = async () => (await ask<Schemas['AlertPage']>('/api/v1/alerts?room=rules-after')).alerts.map(({ text }) => text)
  await expect.poll(found, { timeout: 10_000 }).toEqual([`今天${NEW}`])

  await page.click('.bench-panel .switch button:has-text("版本")')
  await page.waitForSelector('.rule-versions .chip:has-text("生效中")')
  await page.click('.rule-versions li:has-text("目录原文") button[aria-pressed]')
  await page.waitForSelector('.rule-diff .new')
  await shot(page, 'rules-diff')
  await page.click('.rule-versions li:has-text("目录原文") button:has-text("回到这一版")')
  await page.waitForSelector('.rule-versions [role=status]:has-text("已回到")')
  await page.waitForSelector('.bench-head:has-text("生效：规则目录原文")')
  expect(wrong).toEqual([])
}, 90_000)

test('a version is to be published later, which is called off; what was not run before a restart is run again', async () => {
  const { page, wrong } = await opened('/rules')
  await atRule(page, 'shop.rank')
  await type(page, 'tier:', '# later\n')
  await page.locator('.cm-content').press('Control+s')
  await page.waitForSelector('.bench-said:has-text("已存为第 1 版")')
  await page.click('.bench-bar button:has-text("定时发布")')
  const go = page.locator('.bench-bar button.act:has-text("定时发布")')
  await page.fill('.when', '')
  expect(await go.isDisabled()).toBe(true) // no time is not now
  await page.fill('.when', new Date(Date.now() + 86_400_000).toISOString().slice(0, 16))
  await go.click()
  await page.fill('#confirm', '0')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.bench-bar:has-text("第 1 版定于")')
  await shot(page, 'rules-later')
  await page.click('.bench-bar button:has-text("取消定时")')
  await page.waitForSelector('.bench-bar:has-text("定时已取消")')
  expect((await ask<Schemas['RuleList']>('/api/v1/rules')).waiting).toEqual([])

  let state = 'interrupted'
  await page.route('**/api/v1/rules/dryrun?*', (route) => {
    if (route.request().method() === 'DELETE') state = 'stopped'
    return route.fulfill({ json: { path: 'x', digest: '', hours: 24, by: 'x', asked_at: 0, state, done: 0.5, fault: '', outcome: null } })
  })
  await page.reload()
  await atRule(page, 'shop.rank')
  await page.click('.bench-panel .switch button:has-text("试运行")')
  await page.waitForSelector('.dry [role=alert]:has-text("没跑完")')
  state = 'running'
  await page.reload()
  await atRule(page, 'shop.rank')
  await page.click('.bench-panel .switch button:has-text("试运行")')
  await page.click('.dry button:has-text("停止")')
  await page.waitForSelector('.dry [role=alert]:has-text("被停止")')
  await page.unroute('**/api/v1/rules/dryrun?*')
  await page.click('.dry button:has-text("重新试运行")')
  await page.waitForSelector('.dry:has-text("没有差别")')
  expect(wrong).toEqual([])
}, 60_000)

test('a rule that somebody else has saved meanwhile is not written over unseen', async () => {
  const { page, wrong } = await opened('/rules')
  await atRule(page, 'shop.rank')
  await type(page, 'tier:', '# mine\n')
  const row = (await ask<Schemas['RuleList']>('/api/v1/rules')).rules.find(({ id }) => id === 'shop.rank')!
  const file = await ask<Schemas['FileView']>(`/api/v1/rules/file?path=${encodeURIComponent(row.path)}`)
  const put = await fetch(`${URL}/api/v1/rules/file`, { method: 'PUT', body: JSON.stringify({ path: row.path, text: `# theirs\n${file.text}`, base: file.latest, note: '' }) })
  expect(put.ok).toBe(true)
  await page.locator('.cm-content').press('Control+s')
  await page.waitForSelector('.bench-bar[role=alert] button:has-text("改用新版")')
  await shot(page, 'rules-conflict')
  await page.click('.bench-bar button:has-text("改用新版")')
  await expect.poll(() => page.textContent('.cm-content')).toContain('# theirs')
  await page.waitForSelector('.bench-bar button:has-text("现在发布")')
  expect(wrong).toEqual([])
}, 60_000)

test('faults stand in the gutter and in a list whose keys lead there; what is not saved outlives a look elsewhere', async () => {
  const { page, wrong } = await opened('/rules')
  await atRule(page, 'shop.rank')
  await type(page, 'tier:', 'x')
  await page.waitForSelector('.fault:has-text("xtier")')
  await page.waitForSelector('.cm-lint-marker-error')
  expect(await page.locator('.bench-bar button:has-text("保存")').isDisabled()).toBe(true)
  await page.click('.fault')
  await expect.poll(() => page.evaluate(() => Boolean(document.activeElement?.closest('.cm-editor')))).toBe(true)
  await page.click('nav a:has-text("队列")')
  await page.click('nav a:has-text("规则")')
  await page.waitForSelector('.rule-row .chip:has-text("未保存")')
  await atRule(page, 'shop.rank', false)
  expect(await page.textContent('.cm-content')).toContain('xtier')
  await page.click('.bench-bar button:has-text("放弃改动")')
  await expect.poll(() => page.textContent('.cm-content')).not.toContain('xtier')

  await page.locator('.cm-line', { hasText: 'severity' }).click()
  await page.keyboard.press('End')
  await page.keyboard.type('\nef')
  await page.waitForSelector('.cm-tooltip-autocomplete li:has-text("effective")')
  await page.keyboard.press('Escape')
  await page.click('.bench-bar button:has-text("放弃改动")')
  expect(wrong).toEqual([])
}, 60_000)

test('a list of terms is a table, and takes what a spreadsheet gives', async () => {
  const { page, wrong } = await opened('/rules/shop%2Flists%2Fbrowser.txt')
  await page.waitForSelector('.terms')
  await page.fill('.terms-add textarea', '天下无双\t口语\n盖世无双\n天下无双')
  await page.click('.terms-add button')
  await page.waitForSelector('.terms-rows li:has-text("盖世无双")')
  expect(await page.locator('.terms-rows li').count()).toBe(2)
  await page.waitForSelector('.fault') // no rule of the pack uses it yet
  await page.click('.terms-rows li:has-text("盖世无双") button')
  await expect.poll(() => page.locator('.terms-rows li').count()).toBe(1)
  await shot(page, 'rules-terms')
  expect(wrong).toEqual([])
}, 60_000)

test('a wording with a proof is allowed for a time, and that is taken back', async () => {
  await fetch(`${URL}/api/v1/records/product/mask`, { method: 'PUT', body: '{"title": "面膜"}' })
  const { page, wrong } = await opened(`/rules/${RULE}`)
  await page.click('.bench-panel .switch button:has-text("例外")')
  for (const [name, text] of [['说法', '同城最低'], ['商品', 'mask'], ['证明编号', 'P-1']] as const) await page.getByLabel(name, { exact: true }).fill(text)
  await page.click('.exceptions form button')
  await page.waitForSelector('.exceptions li:has-text("同城最低")')
  await shot(page, 'rules-exceptions')
  await page.click('.exceptions li button')
  await page.waitForSelector('.exceptions:has-text("没有例外")')
  expect(wrong).toEqual([])
}, 60_000)

test('above what a post can take the number is asked for, and nothing else will do', async () => {
  await call('PUT', '/api/v1/records/post/content-review', { title: '内容审核岗', duty: 'content_review', budget: 1 })
  const words = '满院子都说好'
  await say('rules-budget', ...Array.from({ length: 12 }, (_, n) => `第${n}个${words}`))
  const { page, wrong } = await opened('/rules')
  await atRule(page)
  await type(page, '全网最低', `${words}, `)
  await page.waitForSelector('.bench-panel .switch:has-text("用例")')
  await page.locator('.cm-content').press('Control+s')
  await page.waitForSelector('.bench-said:has-text("已存为")')
  await page.click('.bench-bar button:has-text("试运行 2 小时")')
  await page.waitForSelector('.dry .chip:has-text("超")')
  await page.click('.bench-bar button:has-text("现在发布")')
  const asked = await page.textContent('.asking label')
  const number = /\d+/.exec(asked ?? '')![0]
  expect(Number(number)).toBeGreaterThan(1)
  const go = page.locator('.asking button:has-text("继续发布")')
  for (const typed of ['0', '1', '']) {
    await page.fill('#confirm', typed)
    expect(await go.isDisabled()).toBe(true)
  }
  await shot(page, 'rules-budget')
  await page.fill('#confirm', number)
  await go.click()
  await page.waitForSelector('.bench-bar:has-text("已生效")')
  expect(wrong).toEqual([])
}, 90_000)

test('a clause of the own house is a file of its own, and a rule may rest on it', async () => {
  const { page, wrong } = await opened('/rules')
  await page.click('.rule-list button:has-text("新建")')
  await page.fill('.fresh-file input', 'clauses-own.yml')
  await page.click('.fresh-file button:has-text("新建文件")')
  await page.waitForSelector('.bench .cm-content')
  await expect.poll(() => page.textContent('.cm-content')).toContain('OWN-1')
  for (const [field, value] of [['document', '某平台公告第 7 号'], ['issuer', '某平台'], ['article', '第二条'], ['requirement', '不得虚构库存']] as const) {
    const line = page.locator('.cm-line', { hasText: `${field}: ''` })
    await line.click()
    await page.keyboard.press('Home')
    for (let i = 0; i < field.length + 3; i++) await page.keyboard.press('ArrowRight')
    await page.keyboard.insertText(value)
  }
  await page.waitForSelector('.fault:has-text("categories")') // of which categories is for the house to say
  await type(page, ']', 'price_consumer')
  await page.waitForSelector('.bench-bar button:has-text("保存"):not([disabled])')
  await shot(page, 'rules-clause')
  await published(page, 1)

  await page.goto(`${URL}/rules`)
  await atRule(page, 'shop.rank')
  await type(page, 'T-1', 'OWN-1, ')
  await page.locator('.cm-content').press('Control+s')
  await page.waitForSelector('.bench-said:has-text("已存为")')
  expect(wrong).toEqual([])
}, 90_000)

test('the last minutes of a room are tried, too', async () => {
  await say('rules-room', '大家好', '今天全网最低价')
  const { page, wrong } = await opened(`/rules/${RULE}`)
  await page.waitForSelector('.bench .cm-content')
  await page.click('.trial .switch button:has-text("取自直播间")')
  await page.click('.trial-room .ant-select')
  await page.keyboard.insertText('rules-room')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.tried mark:has-text("全网最低")')
  await shot(page, 'rules-room')
  await page.click('.trial-room button:has-text("近 10 分钟")')
  await page.waitForSelector('.tried mark:has-text("全网最低")')
  expect(wrong).toEqual([])
}, 60_000)

test('what a rule in the shadow finds is shown to its owner, who lets it judge', async () => {
  const path = 'shop/tried.yml'
  const like = await ask<Schemas['FileView']>('/api/v1/rules/file?path=shop%2Frank.yml&version=0')
  const text = like.text.replace('shop.rank', 'shop.tried').replace('status: active', 'status: shadow')
  await call('PUT', '/api/v1/rules/file', { path, text, base: 0, note: '' })
  await call('POST', '/api/v1/rules/publish', { path, version: 1, at: null, confirm: 0 })
  const words = /expect: \[/.test(text) ? /text: ([^,}]+), expect: \[/.exec(text)![1]! : ''
  await say('rules-shadow-1', `${words}，别错过`, words)
  await say('rules-shadow-2', `${words}，我的号是13800138000`)
  const found = async () => (await ask<Schemas['ShadowTrial']>('/api/v1/rules/shadow?rule=shop.tried')).findings
  await expect.poll(found, { timeout: 10_000 }).toBe(3)
  for (const { colorScheme, language } of LOOKS) {
    const { page, wrong } = await opened('/rules/shop.tried', { colorScheme }, language)
    await page.waitForSelector('.bench .cm-content')
    await page.click(`.bench-panel .switch button:has-text("${language === 'zh' ? '影子' : 'Shadow'}")`)
    await page.waitForSelector('.shadow .sample mark')
    expect(await page.locator('.shadow .sample').count()).toBe(3)
    expect(await page.textContent('.shadow')).not.toContain('13800138000')
    expect(await unfit(page)).toEqual([])
    await shot(page, `rules-shadow-${colorScheme}-${language}`)
    expect(wrong).toEqual([])
  }
  const { page, wrong } = await opened('/rules/shop.tried')
  await page.waitForSelector('.bench .cm-content')
  await page.click('.bench-panel .switch button:has-text("影子")')
  await page.click('.shadow button:has-text("改为启用")')
  await expect.poll(() => page.textContent('.cm-content')).toContain('status: active')
  await published(page, 2)
  await expect.poll(() => page.locator('.bench-panel .switch button:has-text("影子")').count()).toBe(0)
  await say('rules-shadow-3', words)
  const alerts = async () => (await ask<Schemas['AlertPage']>('/api/v1/alerts?room=rules-shadow-3')).alerts.map(({ rule }) => rule).toSorted()
  await expect.poll(alerts, { timeout: 10_000 }).toContain('shop.tried')
  expect(wrong).toEqual([])
}, 120_000)

test('every theme and language passes the rules of contrast and names', async () => {
  for (const { colorScheme, language } of LOOKS) {
    const { page, wrong } = await opened(`/rules/${RULE}`, { colorScheme }, language)
    await page.waitForSelector('.bench .cm-content')
    await page.fill('.trial-text', '今天全网最低')
    await page.waitForSelector('.tried mark')
    expect(await unfit(page)).toEqual([])
    await shot(page, `rules-${colorScheme}-${language}`)
    expect(wrong).toEqual([])
  }
}, 90_000)
