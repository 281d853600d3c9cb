import { afterAll, expect, test } from 'vitest'

import type { Schemas } from '../src/api/client'
import { ask, close, LOOKS, opened, say, shot, unfit, URL } from './kit'

afterAll(close)

const BAD = '今天全网最低，家人们'

test('a shift begins with what is waiting and what should be on air, and Enter starts it', async () => {
  await say('shift-room', '大家好', BAD)
  const { page, wrong } = await opened('/')
  await page.waitForSelector('.waiting a.number')
  await page.waitForSelector('.planned:has-text("shift-room")')
  await page.getByRole('button', { name: '深色' }).last().click()
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark')
  await page.evaluate(() => (document.activeElement as HTMLElement).blur())
  await page.keyboard.press('Enter')
  await page.waitForURL('**/queue')
  expect(wrong).toEqual([])
}, 60_000)

test('the wall shows rooms on air by their risk, is filtered by the address, and finds what was said', async () => {
  await say('wall-calm', '大家好')
  await say('wall-grave', BAD, '好')
  const { page, wrong } = await opened('/rooms?name=wall-')
  await page.waitForFunction(() => document.querySelectorAll('.room-card').length === 2)
  expect(await page.locator('.room-card strong').allTextContents()).toEqual(['wall-grave', 'wall-calm'])
  await page.waitForSelector('.room-card:has-text("wall-grave") .pulse rect')
  await page.keyboard.press('/')
  await page.keyboard.type('全网最低')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.found-line:has-text("wall-grave") mark')
  await page.keyboard.press('Escape')
  await page.waitForSelector('.room-card')
  expect(wrong).toEqual([])
}, 60_000)

test('a broadcast: over the findings by keys, words that were missed are reported, what was said is found', async () => {
  await say('room-one', '大家好', BAD, '这个真的治好了我妈的老毛病', '链接在下面')
  const { page, wrong } = await opened('/rooms/room-one')
  await page.waitForSelector('.line:has-text("链接在下面")')
  await page.keyboard.press('j')
  await page.waitForSelector('.line.current mark:has-text("全网最低")')
  await page.waitForSelector('.points tr.current:has-text("全网最低")')

  await page.evaluate(() => {
    const text = [...document.querySelectorAll('[data-line]')].find((each) => each.textContent?.includes('老毛病'))!.firstChild!
    const range = document.createRange()
    const from = text.textContent!.indexOf('治好')
    range.setStart(text, from)
    range.setEnd(text, from + 4)
    getSelection()!.removeAllRanges()
    getSelection()!.addRange(range)
  })
  await page.keyboard.press('p')
  expect(await page.textContent('.miss blockquote')).toBe('“治好了我”')
  await page.keyboard.type('疾病')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: '报漏' }).click()
  await page.waitForSelector('.miss-hint:has-text("已报漏")')
  const { alerts } = await ask<Schemas['AlertPage']>('/api/v1/alerts?room=room-one&source=manual')
  expect(alerts.map((alert) => [alert.category[0], alert.spans[0]?.text])).toEqual([['medical_claim', '治好了我']])
  await page.waitForSelector('.line:has-text("老毛病") mark:has-text("治好了我")')

  await page.keyboard.press('/')
  await page.keyboard.type('链接')
  await page.keyboard.press('Enter')
  await page.locator('.found-line button').first().click()
  await page.waitForSelector('.line.current:has-text("链接在下面")')
  await shot(page, 'room')
  expect(wrong).toEqual([])
}, 60_000)

test('[ and ] go through what was found, also from a moment that was chosen by hand', async () => {
  for (const words of ['今天全网最低', '大家好', '三天就能根治', '链接在下面']) await say('room-keys', words)
  const { page, wrong } = await opened('/rooms/room-keys')
  await page.click('.line:has-text("大家好") .meta')
  await page.waitForSelector('.line.current:has-text("大家好")')
  await page.keyboard.press(']')
  await page.waitForSelector('.line.current:has-text("根治")')
  await page.keyboard.press(']') // there is none behind it
  await page.keyboard.press('[')
  await page.waitForSelector('.line.current:has-text("全网最低")')
  await page.waitForSelector('.points tr.current:has-text("全网最低")')
  expect(wrong).toEqual([])
}, 60_000)

test('a host who is not heard while comments come is warned of, on the wall and on the page of the room', async () => {
  const now = Date.now()
  const said = [['transcript', now - 200_000, '大家好'], ['comment', now, '怎么没声音了']].map(([kind, at, text]) => JSON.stringify({ id: `mute-${kind}`, room: 'wall-mute', kind, at, text }))
  await fetch(`${URL}/api/v1/events`, { method: 'POST', body: said.join('\n') })
  for (const [path, place] of [['/rooms?name=wall-mute', '.room-card'], ['/rooms/wall-mute', '.room-head']] as const) {
    const { page, wrong } = await opened(path)
    await page.waitForSelector(`${place} .chip:has-text("听不到主播")`, { timeout: 40_000 })
    await shot(page, `mute${place}`)
    expect(wrong).toEqual([])
  }
}, 60_000)

test('a room that was never on air says so', async () => {
  const { page } = await opened('/rooms/nobody')
  await page.waitForSelector('[role=alert]:has-text("还没有播过")')
}, 30_000)

test('every theme and language passes the rules of contrast and names', async () => {
  await say('room-axe', '大家好', BAD)
  for (const { colorScheme, language } of LOOKS) {
    const { page, wrong } = await opened('/', { colorScheme }, language)
    for (const [path, ready] of [['/', '.planned'], ['/rooms', '.room-card'], ['/rooms/room-axe', '.line mark']] as const) {
      await page.goto(URL + path)
      await page.waitForSelector(ready)
      expect(await unfit(page), path).toEqual([])
      await shot(page, `rooms${path.replaceAll('/', '-')}-${colorScheme}-${language}`)
    }
    expect(wrong).toEqual([])
  }
}, 120_000)
