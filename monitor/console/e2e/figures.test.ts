import { afterAll, expect, test } from 'vitest'

import type { Schemas } from '../src/api/client'
import { ask, close, LOOKS, opened, say, shot, unfit, URL } from './kit'

afterAll(close)

const BAD = '今天全网最低，家人们'

async function decide(room: string, outcome: 'violation' | 'no_violation', reason: string): Promise<void> {
  await expect.poll(async () => (await ask<Schemas['AlertPage']>(`/api/v1/alerts?room=${room}`)).alerts.length).toBeGreaterThan(0)
  const { alerts } = await ask<Schemas['AlertPage']>(`/api/v1/alerts?room=${room}`)
  const moves = alerts.map(({ id }) => ({ alert: id, move: { move: 'decide', outcome, reason } }))
  const answer = await fetch(`${URL}/api/v1/moves`, { method: 'POST', body: JSON.stringify({ moves }) })
  if (!answer.ok) throw new Error(await answer.text())
}

test('what came and was decided is counted, and can be narrowed and taken away', async () => {
  await say('figures-1', BAD)
  await say('figures-2', BAD)
  await decide('figures-1', 'violation', 'as_found')
  const { page, wrong } = await opened('/figures?compare=1')
  await page.waitForSelector('.figures-grid')
  await page.waitForSelector('.over svg')
  const total = Number(await page.textContent('.figure.wide .number'))
  expect(total).toBeGreaterThanOrEqual(2)
  expect(await page.textContent('.figure:has(.shares) .number')).toBe('100%')
  await page.click('.categories li:nth-child(2) button')
  await page.waitForSelector('.categories li:nth-child(2) button[aria-pressed=true]')

  await page.click('.ranges button:has-text("7 天")')
  await page.waitForURL(/range=week/)
  const link = await page.getAttribute('.figure.wide .exports a', 'href')
  const file = await fetch(URL + link)
  expect(file.status).toBe(200)
  expect(file.headers.get('content-type')).toContain('text/csv')
  const ledger = await page.getAttribute('.pairs .exports a', 'href')
  expect(await (await fetch(URL + ledger)).text()).toContain(BAD)
  await shot(page, 'figures')
  expect(wrong).toEqual([])
}, 60_000)

test('a time in which nothing came says so', async () => {
  const { page, wrong } = await opened('/figures?room=nobody')
  await page.waitForSelector('.none')
  expect(await page.textContent('.figure.wide .number')).toBe('0')
  expect(wrong).toEqual([])
})

test('every theme and language passes the rules of contrast and names', async () => {
  await say('figures-axe', BAD)
  for (const { colorScheme, language } of LOOKS) {
    const { page, wrong } = await opened('/figures', { colorScheme, viewport: { width: 1280, height: 720 } }, language)
    await page.waitForSelector('.over svg')
    await page.hover('.over svg')
    expect(await unfit(page)).toEqual([])
    await shot(page, `figures-${colorScheme}-${language}`)
    expect(wrong).toEqual([])
  }
}, 60_000)
