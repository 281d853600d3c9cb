import { afterAll, expect, test } from 'vitest'

import type { Schemas } from '../src/api/client'
import { ask, close, opened, say, shot, URL } from './kit'

afterAll(close)

const BAD = '今天全网最低，家人们'

async function send(...events: Record<string, unknown>[]): Promise<void> {
  const answer = await fetch(`${URL}/api/v1/events`, { method: 'POST', body: events.map((event) => JSON.stringify(event)).join('\n') })
  if (!answer.ok) throw new Error(await answer.text())
}

const ruled = async (room: string, outcome: string) =>
  (await ask<Schemas['AlertPage']>(`/api/v1/alerts?room=${room}&outcome=${outcome}`)).alerts

test('words that a recogniser corrected are shown as such; a reason is picked by its digit, what was done is recorded', async () => {
  const room = 'corrected'
  const spoken = { id: `c-${Date.now()}`, room, kind: 'transcript', at: Date.now(), speaker: { role: 'host', id: 'h' } }
  await send({ ...spoken, text: '今天全往最滴，家人们', confidence: 0.61 })
  await send({ ...spoken, text: BAD, revision: 1, confidence: 0.86 })
  const { page, wrong } = await opened(`/queue?room=${room}`, {}, 'en')
  await page.waitForSelector('.heard:has-text("corrected recognition")')
  expect(await page.textContent('.heard')).toMatch(/全往最滴.*0\.86/)

  await page.waitForTimeout(300) // verdict keys are deaf for 250 ms after a move
  await page.keyboard.press('v')
  await page.waitForSelector('.rests')
  expect(await page.textContent('.verdicts')).toContain('Said as found')
  expect(await page.textContent('.clause-choice')).toMatch(/第.+条/) // in words, no bare id
  await page.keyboard.press('2')
  await page.waitForSelector('.settled:has-text("You ruled")')
  expect((await ruled(room, 'violation')).map((alert) => alert.reason)).toHaveLength(1)

  await page.keyboard.press('d')
  await page.waitForSelector('.remedies')
  await page.keyboard.press('2')
  await page.waitForSelector('.settled:has-text("Corrected on air")')
  expect((await ruled(room, 'violation')).map((alert) => alert.state)).toEqual(['rectified'])
  await shot(page, 'cards-settled')
  expect(wrong).toEqual([])
}, 60_000)

test('what somebody else decided stands on the card, with who and what', async () => {
  const room = `elsewhere-${Date.now()}`
  await say(room, BAD)
  const { page, wrong } = await opened(`/queue?room=${room}`)
  await page.waitForSelector('.card.chosen')
  const { alerts } = await ask<Schemas['AlertPage']>(`/api/v1/alerts?room=${room}`)
  const answer = await fetch(`${URL}/api/v1/moves`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ moves: alerts.map(({ id }) => ({ alert: id, move: { move: 'decide', outcome: 'no_violation', reason: 'lawful_context' } })) }),
  })
  expect(answer.status).toBe(200)
  await page.waitForSelector('.settled:has-text("判为“不违规”")')
  expect(await page.textContent('.settled')).toContain('语境合法')
  await page.waitForSelector('.card.chosen .card-foot:has-text("已判")')
  expect(wrong).toEqual([])
}, 60_000)

test('I shows the card of the category, and Escape closes it; [ and ] go through the broadcast, also to what came meanwhile', async () => {
  await say('peers', BAD)
  const { page, wrong } = await opened('/queue?room=peers')
  await page.waitForSelector('.card.chosen:has-text("全网最低")')
  for (const words of ['大家好', '三天就能根治']) await say('peers', words)
  await page.waitForFunction(async () => (await (await fetch('/api/v1/alerts?room=peers')).json()).alerts.length === 2)
  await page.waitForTimeout(1_100) // what was read within a second is not read again
  await page.keyboard.press(']')
  await page.waitForSelector('.said:has-text("三天就能根治")')
  await page.keyboard.press('[')
  await page.waitForSelector('.said:has-text("全网最低")')
  await page.keyboard.press('i')
  await page.waitForSelector('.category-card dd')
  await page.keyboard.press('Escape')
  await page.waitForSelector('.category-card', { state: 'detached' })
  expect(wrong).toEqual([])
}, 60_000)
