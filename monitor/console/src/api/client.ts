/** The API client, typed from the service's own OpenAPI document. */
import createClient, { type Middleware } from 'openapi-fetch'

import type { components, paths } from './schema'

export type Schemas = components['schemas']
export type Alert = Schemas['Alert']
export type Card = Schemas['Card']
export type Evidence = Schemas['Evidence']
export type Me = Schemas['Me']
export type Move = Schemas['monitor.services.review.Wanted']['move']
export type Wanted = Schemas['monitor.services.review.Wanted']
export type Span = Schemas['Span']
export type ContextLine = Schemas['ContextLine']

/** What the service refused, in its own words; `status` 0: it was not reached. */
export class Refusal extends Error {
  override name = 'Refusal'
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string,
    readonly details: Record<string, unknown>,
  ) {
    super(message)
  }

  get signedOut(): boolean {
    return this.status === 401
  }

  get unreached(): boolean {
    return this.status === 0 || this.status >= 500
  }
}

let csrf = ''
/** Says that one has signed in: without the session the service then refuses, even where it is open to this machine. */
export const proof = (): Record<string, string> => (csrf ? { 'X-CSRF-Token': csrf } : {})

let language = 'zh-CN'

export function identify(me: { csrf?: string }): void {
  csrf = me.csrf ?? ''
}

export function speak(to: string): void {
  language = to
}

let ahead = 0

/** The service's time (ms), to the second: due times are its own. */
export const serviceNow = () => Date.now() + ahead

const refused = new Set<() => void>()

/** A request found nobody signed in any more. What it gives takes the listener away. */
export function onSignedOut(listener: () => void): () => void {
  refused.add(listener)
  return () => refused.delete(listener)
}

const headers: Middleware = {
  onResponse({ request, response }) {
    const signingIn = request.method === 'POST' && request.url.endsWith('/api/v1/session')
    if (response.status === 401 && !signingIn) for (const listener of refused) listener()
    const told = Date.parse(response.headers.get('Date') ?? '')
    if (!Number.isNaN(told) && Math.abs(told - Date.now() - ahead) > 1_500) ahead = told - Date.now()
  },
  onRequest({ request }) {
    request.headers.set('Accept-Language', language)
    for (const [name, value] of Object.entries(proof())) request.headers.set(name, value)
    return request
  },
}

/** Where a test runs there is no page, and so no address to be relative to. */
const BASE = globalThis.location?.origin ?? 'http://127.0.0.1'
export const api = createClient<paths>({ baseUrl: BASE, credentials: 'same-origin' })
api.use(headers)

interface Answered<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The answer's data. Throws `Refusal`. */
export async function get<T>(asked: Promise<Answered<T>>): Promise<T> {
  let answer: Answered<T>
  try {
    answer = await asked
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw unreached(error)
  }
  if (answer.response.ok) return answer.data as T
  throw refusal(answer.response.status, answer.error)
}

/** What went wrong and what to do, in the service's words. */
export const told = (error: unknown): string =>
  error instanceof Refusal ? `${error.message} ${error.hint}`.trim() : String(error)

const UNREACHED: Record<string, string> = {
  'zh-CN': '没有连上服务，写的还在；网络恢复后再试', en: 'The service was not reached; what you wrote is still here. Try again once the line is back',
}

export const unreached = (error: unknown) => new Refusal(0, 'unreached', UNREACHED[language] ?? String(error), '', { error: String(error) })

function refusal(status: number, body: unknown): Refusal {
  const info = (body as Partial<Schemas['ErrorAnswer']> | undefined)?.error
  return new Refusal(status, info?.code ?? 'unreadable', info?.message ?? `HTTP ${status}`, info?.hint ?? '',
    (info?.details as Record<string, unknown> | undefined) ?? {})
}
