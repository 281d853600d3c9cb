import { afterAll, expect, test } from 'vitest'

import type { Schemas } from '../src/api/client'
import { ask, close, opened, shot, unfit, URL } from './kit'

afterAll(close)

const label = (text: string) => `label:has-text("${text}")`

async function put(kind: string, id: string, record: object): Promise<void> {
  const answer = await fetch(`${URL}/api/v1/records/${kind}/${id}`, { method: 'PUT', body: JSON.stringify(record) })
  if (!answer.ok) throw new Error(await answer.text())
}

test('a record is made, refused at its field, changed, in conflict, and removed', async () => {
  const { page, wrong } = await opened('/admin/unit')
  await page.click('.records-head button')
  await page.fill('.editor .field-line:nth-child(1) input', 'e2e')
  await page.click('.editor footer button')
  await page.waitForSelector('.field-line.wrong:has-text("名称") .fault:has-text("必填")')
  await page.fill('.editor .field-line:nth-child(2) input', '东区')
  await page.click('.editor footer button')
  await page.waitForSelector('.record.chosen:has-text("东区")')

  await put('unit', 'e2e', { title: '别人改的' })
  await page.fill(`.editor .field-line:has(${label('名称')}) input`, '我改的')
  await page.click('.editor footer button')
  await page.waitForSelector('.fault:has-text("先改了")')
  await page.click('.fault button:has-text("以我的为准")')
  await page.waitForSelector('.record.chosen:has-text("我改的")')
  expect((await ask<Schemas['RecordAnswer']>('/api/v1/records/unit/e2e')).record).toEqual({ title: '我改的' })

  await page.click('.editor footer button:has-text("删除")')
  await page.click('.editor footer button:has-text("确认删除")')
  await page.waitForSelector('.record:has-text("我改的")', { state: 'detached' })
  await page.goto(`${URL}/admin/trail?on=unit/e2e`)
  await page.waitForSelector('.told-table tbody tr:nth-child(4)')
  expect(wrong).toEqual([])
}, 60_000)

test('routes are YAML, told with the line where they cannot be read, and tried', async () => {
  await put('post', 'e2e-post', { title: '试验岗' })
  await put('unit', 'e2e-routes', { title: '试验单元' })
  const { page, wrong } = await opened('/admin/routes/+')
  await page.fill('.editor .field-line:nth-child(1) input', 'e2e-routes')
  await page.fill('textarea.code', 'post: e2e-post\n   x: 1')
  await page.waitForSelector('.fault:has-text("第 2 行")')
  await page.fill('textarea.code', 'post: e2e-post\nroutes:\n  - match: {category: [minors]}\n    post: nowhere')
  await page.click('.editor footer button')
  await page.waitForSelector('.field-line.wrong .fault:not(:empty)')
  await page.fill('textarea.code', 'post: e2e-post')
  await page.click('.editor footer button')
  await page.waitForSelector('.record.chosen:has-text("e2e-routes")')
  await page.click('.try button')
  await page.waitForSelector('.extra [role=status] strong')
  expect(wrong).toEqual([])
}, 60_000)

test('somebody is invited by a link', async () => {
  const { page, wrong } = await opened('/admin/users/+')
  await page.fill('#login', 'e2e-wang')
  await page.click('.editor footer button')
  await page.waitForSelector('.record.chosen:has-text("e2e-wang")')
  await page.click('.extra button')
  expect(await page.inputValue('.invited input')).toMatch(/\/invitations\/.{20,}/)
  expect(wrong).toEqual([])
}, 60_000)

test('every part opens, in both themes and languages, by the rules of contrast and names', async () => {
  await put('host', 'e2e-host', { name: '阿珂', papers: { 证: { number: '1', ends: 1_900_000_000_000 } } })
  const parts = ['unit', 'room', 'host/e2e-host', 'slot', 'post/+', 'routes/+', 'reason', 'silence/+', 'users/+', 'me', 'trail', 'held', 'messages', 'models', 'channel']
  for (const [colorScheme, language] of [['light', 'zh'], ['dark', 'en']] as const) {
    const { page, wrong } = await opened('/admin', { colorScheme, viewport: { width: 1280, height: 720 } }, language)
    await page.waitForSelector('.top nav a.active')
    expect(await page.getAttribute('.top nav a.active', 'href')).toBe('/admin')
    for (const part of parts) {
      await page.goto(`${URL}/admin/${part}`)
      await page.waitForSelector('.records h1, .whole-part h1')
      await page.waitForTimeout(150)
      expect(await unfit(page), part).toEqual([])
      await shot(page, `admin-${part.replace('/', '-').replace('+', 'new')}-${colorScheme}-${language}`)
    }
    expect(wrong).toEqual([])
  }
}, 120_000)
