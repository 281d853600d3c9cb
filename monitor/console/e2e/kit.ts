/** What browser tests share: a page of the running service (`REDPOST_URL`), and eyes for what must never happen. */
import { mkdirSync } from 'node:fs'

import { AxeBuilder } from '@axe-core/playwright'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'

export const URL = process.env.REDPOST_URL ?? 'http://127.0.0.1:8321'
const TOKEN: Record<string, string> = process.env.REDPOST_TOKEN ? { Authorization: `Bearer ${process.env.REDPOST_TOKEN}` } : {}
const SHOTS = process.env.REDPOST_SHOTS ?? 'dist/shots'

export interface Watched {
  page: Page
  /** Errors, refused by the policy, and requests that leave the origin. */
  wrong: string[]
}

let browser: Browser | undefined

export async function opened(path: string, options: BrowserContextOptions = {}, language = 'zh'): Promise<Watched> {
  browser ??= await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium' })
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN', ...options })
  await context.addInitScript((chosen) => localStorage.setItem('redpost.language', chosen), language)
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  const wrong: string[] = []
  page.on('pageerror', (error) => wrong.push(error.message))
  page.on('console', (said) => said.type() === 'error' && !/status of (4|5)\d\d|ERR_/.test(said.text()) && wrong.push(said.text()))
  page.on('request', (request) => {
    if (!request.url().startsWith(URL) && !/^(data|blob):/.test(request.url())) wrong.push(`left the origin: ${request.url()}`)
  })
  await page.goto(URL + path)
  return { page, wrong }
}

export async function close(): Promise<void> {
  await browser?.close()
  browser = undefined
}

export async function shot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true })
  await page.screenshot({ path: `${SHOTS}/${name}.png` })
}

/** Both themes in both languages. */
export const LOOKS = (['light', 'dark'] as const).flatMap((colorScheme) => ['zh', 'en'].map((language) => ({ colorScheme, language })))

/** What breaks the rules of contrast and names (WCAG 2.1 AA), each with the first place. */
export async function unfit(page: Page): Promise<string[]> {
  const rules = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'], resultTypes: ['violations' as const] }
  const { violations } = await new AxeBuilder({ page }).options(rules).setLegacyMode().analyze() // no frames, no second page
  return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
}

let last = 0

/** Events of a room, in the order in which they come; answered once they are durable. */
export async function say(room: string, ...texts: string[]): Promise<void> {
  const lines = texts.map((text) => JSON.stringify({
    id: `e${++last}-${Date.now()}`, room, kind: 'transcript', at: Date.now(), text, speaker: { role: 'host', id: 'h' },
  }))
  const answer = await fetch(`${URL}/api/v1/events`, { method: 'POST', headers: TOKEN, body: lines.join('\n') })
  if (!answer.ok) throw new Error(await answer.text())
}

export const ask = <T>(path: string): Promise<T> => call('GET', path)

/** As a program that may do everything: of this machine, or by a token where the service asks for one. */
export async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(URL + path, { method, headers: { ...TOKEN, 'Content-Type': 'application/json' }, ...(body && { body: JSON.stringify(body) }) })
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`)
  return (await answer.json()) as T
}

export const PASSWORD = 'correct horse battery'

/** Somebody's session, by an invitation as people get it. */
export async function joined(login: string, role = 'reviewer'): Promise<NonNullable<BrowserContextOptions['storageState']>> {
  await call('PUT', `/api/v1/users/${login}`, { name: login, grants: [{ role }] })
  const { path } = await call<{ path: string }>('POST', `/api/v1/users/${login}/invitation`)
  const { page } = await opened(path)
  await accept(page)
  const state = await page.context().storageState()
  await page.context().close()
  return { cookies: state.cookies, origins: [] }
}

/** Takes the invitation that the page shows. */
export async function accept(page: Page): Promise<void> {
  await page.waitForSelector('input[type=password]')
  for (const field of await page.locator('input[type=password]').all()) await field.fill(PASSWORD)
  await page.keyboard.press('Enter')
  await page.waitForURL(URL + '/')
}

/** As people do at the start of their day, or in place of a page that stays. */
export async function signIn(page: Page, login: string): Promise<void> {
  await page.fill('input[autocomplete=username]', login)
  await page.fill('input[type=password]', PASSWORD)
  await page.keyboard.press('Enter')
}

/** The service ends (`kill`: at once) or starts again, at the same address. */
export async function steer(what: 'kill' | 'start'): Promise<void> {
  const answer = await fetch(`${process.env.REDPOST_STEER}/${what}`, { method: 'POST' })
  if (!answer.ok) throw new Error(await answer.text())
}
