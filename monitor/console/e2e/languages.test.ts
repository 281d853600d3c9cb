/** Every page in both languages: what stands there in the other one is data, which the service has given. */
import type { Page } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'

import { GROUPS } from '../src/pages/admin/kinds'
import type { Schemas } from '../src/api/client'
import type { Check } from '../src/pages/checks/data'
import { ask, call, close, opened, say, URL } from './kit'

afterAll(close)

/** The same in both languages: the product, formats, keys of the board and of a tree of routes, units, and what names a
 * language. */
const SAME = new Set(['redpost', 'English', 'CSV', 'XLSX', 'YAML', 'JSON', 'SSE', 'ASR', 'OBS', 'URL', 'SKU', 'ID', 'AI', 'HLS', 'FLV', 'F1', 'Esc', 'Enter', 'Ctrl', 'Shift', 'Tab', 'Home', 'End', 'docx', 'txt', 'md', 'yml', 'ms', 'min', '中文', 'match', 'unless', 'post', 'routes'])
/** What is spelled the same wherever it is read: ids, paths, addresses, keys of a rule, placeholders. */
const SPELLED = /[\w@]+(?:[-_./:@=][\w-]+)+\/?|\{\w+\}|[a-z]+\/|\bv\d\S*|\b\w*\d\w*\b/g
/** Keys of answers under which even one small word is a name that somebody gave. */
const NAMES = new Set(['id', 'room', 'by', 'on', 'rule', 'post', 'posts', 'login', 'broadcast', 'source', 'tenant', 'unit', 'name', 'host', 'hosts', 'members', 'lead', 'pack', 'people', 'platform', 'account', 'speaker', 'model'])

/** Texts of an answer that are data: not what the service says by itself, and no word of a closed set. */
function dataOf(value: unknown, key: string, found: Set<string>): Set<string> {
  if (Array.isArray(value)) for (const each of value) dataOf(each, key, found)
  else if (value && typeof value === 'object')
    for (const [name, each] of Object.entries(value)) {
      if (name === 'message' || name === 'hint' || name === 'error') continue
      if (/\W|[A-Z]/.test(name)) found.add(name)
      dataOf(each, name, found)
    }
  else if (typeof value === 'string' && value.trim() && (NAMES.has(key) || !/^[a-z_]+$/.test(value))) found.add(value.trim())
  return found
}

/** What is shown or read out, but for words that are marked as of another language, code, and how Ant Design names its
 * icons, which has no tables for that. */
const shown = (page: Page, foreign: string) => page.evaluate((other) => {
  const found: string[] = []
  const hidden = (of: Element) => of.closest(`script, style, code, pre, kbd, textarea, .cm-editor, .anticon, .ant-select-clear, [lang^="${other}"]`) !== null || !of.checkVisibility()
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    if (node.parentElement && !hidden(node.parentElement)) found.push(node.textContent ?? '')
  for (const of of document.querySelectorAll('[title], [aria-label], [placeholder], [alt]'))
    if (!hidden(of)) for (const name of ['title', 'aria-label', 'placeholder', 'alt']) found.push(of.getAttribute(name) ?? '')
  return [...new Set(found.map((text) => text.trim()).filter(Boolean))]
}, foreign)

const WRONG = { zh: /[A-Za-z]{2,}/g, en: /\p{Script=Han}+/gu }

function strangers(texts: readonly string[], data: ReadonlySet<string>, language: 'zh' | 'en'): string[] {
  const known = [...data].filter((one) => one.length > 1 && one.search(WRONG[language]) >= 0).sort((a, b) => b.length - a.length)
  return texts.flatMap((text) => {
    let left = text
    for (const one of known) left = left.replaceAll(one, ' ')
    const words = (left.replaceAll(language === 'zh' ? SPELLED : /$^/g, ' ').match(WRONG[language]) ?? []).filter((word) => !SAME.has(word))
    return words.length ? [`${words.join(' ')} ← ${text.slice(0, 100)}`] : []
  })
}

test('the reading finds what it is to find, and lets data pass', () => {
  const data = dataOf({ alerts: [{ state: 'open', room: 'lounge', text: 'Best ever' }], error: { message: 'not found' } }, '', new Set())
  expect(strangers(['待处理 lounge', 'Best ever 的话', 'CSV', 'shop/a.yml', '已 open', 'not found', '第 3 版'], data, 'zh')).toEqual(['open ← 已 open', 'not found ← not found'])
  expect(strangers(['Open', 'It is 待处理', '中文'], data, 'en')).toEqual(['待处理 ← It is 待处理'])
})

const SCRIPT = '今天全网最低\n大家好'
const put = (kind: string, id: string, record: object) => call('PUT', `/api/v1/records/${kind}/${id}`, record)

/** A service that has something on every page. */
async function prepared(): Promise<string[]> {
  await put('unit', 'north', { title: 'North' })
  await put('post', 'night', { title: 'Night', unit: 'north' })
  await put('room', 'walk', { title: 'Walk', unit: 'north' })
  await put('silence', 'calm', { match: { room: ['elsewhere'] }, begins: Date.now(), ends: Date.now() + 3_600_000, reason: 'Quiet' })
  await call('PUT', '/api/v1/users/li', { name: 'Li', grants: [{ role: 'reviewer' }] })
  await say('walk', '今天全网最低，家人们', '欢迎来到直播间', '加我微信abc123私下转账便宜一半')
  await expect.poll(async () => (await ask<Schemas['AlertPage']>('/api/v1/alerts?room=walk')).alerts.length).toBeGreaterThan(0)
  const checked = await fetch(`${URL}/api/v1/checks?name=walk`, { method: 'POST', body: SCRIPT })
  const check = ((await checked.json()) as Check).summary.id
  const { rules } = await ask<{ rules: { id: string }[] }>('/api/v1/rules')
  return [
    '/', '/queue', '/queue?room=walk', '/rooms', '/rooms?q=全网', '/rooms/walk', '/rooms/nowhere', '/figures', '/figures?range=week&compare=1',
    '/rules', `/rules/${rules[0]!.id}`, '/checks', `/checks/${check}`, '/nowhere', '/invitations/none',
    ...GROUPS.flatMap(({ sections }) => sections.flatMap((section) => [`/admin/${section}`, ...(/^(me|trail|held|messages|models)$/.test(section) ? [] : [`/admin/${section}/+`])])),
    '/admin/unit/north', '/admin/post/night', '/admin/room/walk', '/admin/silence/calm', '/admin/users/li',
  ]
}

let paths: Promise<string[]> | undefined

test.each(['zh', 'en'] as const)('no page says anything in another language than %s but data', async (language) => {
  const found: string[] = []
  paths ??= prepared()
  const { page, wrong } = await opened('/', { locale: language === 'zh' ? 'zh-CN' : 'en-GB' }, language)
  const data = new Set<string>()
  const reading: Promise<unknown>[] = []
  page.on('response', (response) => {
    if (response.url().includes('/api/v1/') && response.headers()['content-type']?.includes('json'))
      reading.push(response.json().then((body: unknown) => dataOf(body, '', data), () => {}))
  })
  const look = async (where: string) => {
    await page.waitForLoadState('domcontentloaded')
    await page.waitForTimeout(500)
    await Promise.all(reading)
    for (const one of strangers(await shown(page, language === 'zh' ? 'en' : 'zh'), data, language)) found.push(`${where}: ${one}`)
  }
  for (const path of await paths) {
    await page.goto(URL + path)
    await page.waitForFunction(() => document.body.innerText.trim() !== '')
    await look(path)
    if (path.startsWith('/rules/'))
      for (const button of await page.locator('.bench-panel > .switch button').all()) {
        await button.click()
        await look(`${path} ${await button.textContent()}`)
      }
  }
  await page.goto(`${URL}/queue`)
  await page.keyboard.press('h')
  await look('help')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+k')
  await look('palette')
  expect([...new Set(found)]).toEqual([])
  expect(wrong).toEqual([])
}, 240_000)
