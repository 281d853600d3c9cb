/** A reviewer's shift and a lead's, each with a session of their own, where nobody comes in without one. */
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Schemas } from '../src/api/client'
import { fieldTime } from '../src/parts/clock'
import { ask, call, close, joined, opened, say, shot, signIn, URL } from './kit'

afterAll(close)

const CURE = '这碗汤三天根治咳嗽'
const LOWEST = '今天全网最低，家人们'
const DEAF = 300 // verdict keys are deaf for 250 ms after a move

const alertsOf = async (room: string) => (await ask<Schemas['AlertPage']>(`/api/v1/alerts?room=${room}`)).alerts
const movesOf = async (room: string) => {
  const [alert] = await alertsOf(room)
  return (await ask<Schemas['History']>(`/api/v1/alerts/${alert!.id}/history`)).moves
}

/** Studios below a house, each with a post: what is handed up goes from the one to the other. */
beforeAll(async () => {
  const put = (kind: string, id: string, record: object) => call('PUT', `/api/v1/records/${kind}/${id}`, record)
  await put('unit', 'house', { title: '总部' })
  await put('unit', 'studios', { title: '直播部', above: 'house' })
  await put('post', 'house', { title: '总值班', unit: 'house' })
  await put('post', 'night', { title: '夜班', unit: 'studios' })
  await put('routes', 'studios', { tree: { post: 'night' } })
  for (const room of ['studio-1', 'studio-2']) await put('room', room, { unit: 'studios' })
})

test('a reviewer signs in, takes a case, tells the room, notes, rules, takes it back, and hands another one up', async () => {
  await joined('li')
  await say('studio-1', '大家好', CURE, '链接在下面')
  await say('studio-2', CURE)
  const { page, wrong } = await opened('/')
  await page.waitForSelector('input[autocomplete=username]')
  await shot(page, 'journey-reviewer-1-sign-in')
  await signIn(page, 'li')
  await page.waitForSelector('.waiting a.number')
  expect(await page.locator('.top nav a').allTextContents()).toEqual(['开班', '队列', '台本', '直播间', '数据', '管理']) // no rules
  await shot(page, 'journey-reviewer-2-shift')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.line.own')

  await page.click('.card:has-text("studio-1")')
  await page.waitForSelector('.line:has-text("链接在下面")')
  await page.keyboard.press('c')
  await page.waitForSelector('.card.chosen:has-text("你已认领")')
  await page.waitForTimeout(DEAF)
  await page.keyboard.press('t')
  await page.fill('.decisions .field input', '请改口：润一润嗓子')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.decisions .verdicts')
  await page.keyboard.press('m')
  await page.fill('.decisions .field input', '回看过前后一分钟')
  await shot(page, 'journey-reviewer-3-note')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.decisions .verdicts')

  for (const again of [true, false]) {
    await page.keyboard.press('v')
    await page.waitForSelector('.rests')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.said-so:has-text("按 U 撤销")')
    if (!again) break
    await shot(page, 'journey-reviewer-4-ruled')
    await page.keyboard.press('u')
    await page.waitForSelector('.said-so:has-text("已撤销")')
    await page.waitForTimeout(DEAF)
  }
  await page.waitForSelector('.settled:has-text("你")')

  await page.click('.card:has-text("studio-2")')
  await page.waitForTimeout(DEAF)
  await page.keyboard.press('e')
  await page.fill('.decisions .field input', '拿不准，请带班看')
  await page.keyboard.press('Enter')
  await expect.poll(async () => (await alertsOf('studio-2'))[0]?.state).toBe('escalated')
  await shot(page, 'journey-reviewer-5-up')
  await page.click('button:has-text("登出")')
  await page.waitForSelector('input[autocomplete=username]')

  const moves = await movesOf('studio-1')
  expect(moves.map(({ by }) => by)).toEqual(moves.map(() => 'li'))
  expect(moves.map(({ move }) => move.move)).toEqual(expect.arrayContaining(['claim', 'note', 'decide', 'undo']))
  const [alert] = await alertsOf('studio-1')
  expect(alert?.outcome).toBe('violation')
  const { cues } = await ask<{ cues: Schemas['Cue'][] }>(`/api/v1/alerts/${alert!.id}/cues`)
  expect(cues.map((cue) => [cue.by, cue.say])).toEqual([['li', '请改口：润一润嗓子']])
  expect(wrong).toEqual([])
}, 60_000)

test('a lead decides what was handed up, releases a storm, plans, writes the handover, and takes ledger and figures', async () => {
  const state = await joined('chen', 'lead')
  for (let n = 1; n <= 9; n++) await say(`hall-${n}`, LOWEST)
  const { page, wrong } = await opened('/queue', { storageState: state })
  await page.click('.card:has-text("studio-2")')
  await page.click('.around button:has-text("经过")')
  await page.waitForSelector('.around li:has-text("拿不准，请带班看")')
  await page.waitForTimeout(DEAF)
  await page.keyboard.press('n')
  await page.waitForSelector('.rests')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.settled:has-text("判为“不违规”")') // Enter is not the button's that was pressed before
  await page.waitForSelector('.around li:has-text("chen 不违规")') // what was opened stays open
  await shot(page, 'journey-lead-1-handed-up')

  await page.click('.card:has-text("风暴：4 条")')
  await page.waitForSelector('.storm-list li:nth-child(4)')
  await shot(page, 'journey-lead-2-storm')
  await page.click('.storm button:has-text("全部放行")')
  await page.waitForSelector('.storm [role=status]:has-text("已办 4 条，还剩 0 条")')
  await page.waitForSelector('.storm .empty')
  await page.keyboard.press('r')
  for (let n = 1; n <= 9; n++) expect((await alertsOf(`hall-${n}`)).map((alert) => alert.state)).toEqual(['open'])

  await page.click('.top nav a:has-text("管理")')
  await page.click('.admin nav a:has-text("班次")')
  await page.click('.records-head button')
  const field = (name: string) => page.locator(`.editor .field-line:has(label:has-text("${name}"))`)
  await field('岗位').locator('input').fill('夜班')
  await page.keyboard.press('Enter')
  await field('值班人').locator('input').fill('li')
  await page.keyboard.press('Enter')
  await field('开始').locator('input').fill(fieldTime(Date.now() - 8 * 3_600_000))
  await field('结束').locator('input').fill(fieldTime(Date.now() - 60_000))
  await field('交班留言').locator('textarea').fill('studio-2 已看过，不违规；盯住全网最低')
  await page.click('.editor footer button')
  await page.waitForSelector('.record.chosen')
  await shot(page, 'journey-lead-3-roster')

  await page.click('.admin nav a:has-text("开播计划")')
  await page.fill('.plan textarea', `开播时间\t直播间\t备注\n${fieldTime(Date.now() + 3_600_000).replace('T', ' ')}\tstudio-1\t返场`)
  await page.click('.plan button:has-text("先看看")')
  await page.waitForSelector('.plan [role=status]:has-text("新建或改 1 行")')
  await page.click('.plan button:has-text("导入")')
  await page.waitForSelector('.plan [role=status]:has-text("已导入")')
  await shot(page, 'journey-lead-4-plan')

  await page.click('.top nav a:has-text("开班")')
  await page.waitForSelector('.note:has-text("盯住全网最低")')
  await page.waitForSelector('.planned:has-text("返场")')
  await shot(page, 'journey-lead-5-shift')

  await page.click('.top nav a:has-text("数据")')
  await page.waitForSelector('.figure:has(.shares) .number:has-text("50%")') // one of two was a violation
  const ledger = await page.getAttribute('.pairs .exports a', 'href')
  const file = await page.request.get(URL + ledger)
  expect([file.status(), (await file.text()).includes(CURE)]).toEqual([200, true])
  await shot(page, 'journey-lead-6-figures')
  expect(wrong).toEqual([])
}, 90_000)
