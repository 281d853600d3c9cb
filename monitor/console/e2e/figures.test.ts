import { readFile } from 'node:fs/promises'

import { afterAll, expect, test } from 'vitest'

import type { Schemas } from '../src/api/client'
import { ask, close, LOOKS, opened, say, shot, unfit, URL } from './kit'

afterAll(close)

/** By a viewer. */
async function said(room: string, text: string): Promise<void> {
  const event = { id: `${room}-${Date.now()}`, room, kind: 'comment', at: Date.now(), text, speaker: { role: 'viewer', id: 'v' } }
  const answer = await fetch(`${URL}/api/v1/events`, { method: 'POST', body: JSON.stringify(event) })
  if (!answer.ok) throw new Error(await answer.text())
}

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
  await shot(page, 'figures')
  expect(wrong).toEqual([])
}, 60_000)

test('every list and both ledgers arrive as files with rows', async () => {
  await say('files', BAD)
  await said('files', '加我微信abc123私下转账便宜一半')
  await expect.poll(async () => (await ask<Schemas['AlertPage']>('/api/v1/alerts?room=files')).alerts.length).toBe(2)
  await decide('files', 'violation', 'as_found')
  const { page } = await opened('/figures')
  await page.waitForSelector('.pairs .exports')
  const hrefs = new Set(await page.locator('.exports a').evaluateAll((links) => links.map((link) => link.getAttribute('href')!)))
  const lists = new Set<string>()
  for (const href of hrefs) { // a browser takes ten files of a page
    const [file] = await Promise.all([page.waitForEvent('download'), page.locator(`.exports a[href="${href}"]`).first().click()])
    const form = file.suggestedFilename().split('.').at(-1)
    const bytes = await readFile(await file.path())
    const list = new globalThis.URL(file.url()).pathname.split('/').at(-1)!
    lists.add(`${list}.${form}`)
    if (form === 'csv') {
      const lines = bytes.toString('utf-8').trim().split('\r\n')
      expect(bytes.subarray(0, 3), list).toEqual(Buffer.from([0xef, 0xbb, 0xbf]))
      expect(lines.length, list).toBeGreaterThan(1)
    } else expect(bytes.subarray(0, 2).toString(), list).toBe('PK')
    await file.delete()
  }
  expect([...lists].sort()).toEqual(['alerts', 'audit', 'comments', 'corrections', 'queue'].flatMap((list) => [`${list}.csv`, `${list}.xlsx`]))
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
