import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { Stream, type Update } from './stream'

class Asked {
  private body: ReadableStreamDefaultController<Uint8Array> | undefined
  private resolve!: (answer: Response) => void
  readonly answered: Promise<Response>

  constructor(readonly path: string, readonly signal: AbortSignal) {
    this.answered = new Promise((resolve, reject) => {
      this.resolve = resolve
      signal.addEventListener('abort', () => {
        reject(new Error('aborted'))
        this.body?.error(new Error('aborted'))
      })
    })
  }

  open(status = 200): this {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.body = controller) })
    this.resolve(new Response(body, { status }))
    return this
  }

  tell(event: string, data: object, id?: number): this {
    const head = id === undefined ? '' : `id: ${id}\n`
    return this.say(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  say(text: string): this {
    this.body?.enqueue(new TextEncoder().encode(text))
    return this
  }

  end(): void {
    this.body?.close()
    this.body = undefined
  }
}

const page = { asked: [] as Asked[], events: new EventTarget(), held: Promise.resolve(), ends: [] as (() => void)[] }

/** One lock, held until what it was given ends. */
function request(_: string, { signal }: { signal: AbortSignal }, work: () => Promise<void>): Promise<void> {
  page.held = page.held.then(() => (signal.aborted ? undefined : work()))
  return page.held
}

beforeEach(() => {
  Object.assign(page, { asked: [], events: new EventTarget(), held: Promise.resolve(), ends: [] })
  const { events } = page
  vi.stubGlobal('navigator', { locks: { request } })
  vi.stubGlobal('document', new EventTarget())
  vi.stubGlobal('addEventListener', events.addEventListener.bind(events))
  vi.stubGlobal('removeEventListener', events.removeEventListener.bind(events))
  vi.stubGlobal('fetch', (path: string, { signal }: { signal: AbortSignal }) => {
    const asked = new Asked(path, signal)
    page.asked.push(asked)
    return asked.answered
  })
})

afterEach(async () => {
  for (const end of page.ends) end()
  await page.held
  vi.unstubAllGlobals()
})

function tab() {
  const stream = new Stream()
  const resets = vi.fn<() => void>()
  const updates: Update[] = []
  stream.onReset(resets)
  stream.onUpdate((update) => updates.push(update))
  const end = stream.start()
  page.ends.push(end)
  return { stream, resets, updates, end }
}

const asked = async (count: number): Promise<Asked> => {
  await vi.waitFor(() => expect(page.asked).toHaveLength(count))
  return page.asked[count - 1]!
}
const stands = (stream: Stream, state: string) => vi.waitFor(() => expect(stream.line.state).toBe(state))
const moved = { what: 'moved', alert: { id: 'a1' } }

test('a page that is shown for the first time leaves its first request alone', async () => {
  const { stream, resets, updates } = tab()
  const first = await asked(1)
  page.events.dispatchEvent(new Event('pageshow'))
  expect(first.signal.aborted).toBe(false)
  first.open().tell('hello', { last: 27, resumed: false }, 27).tell('alert', moved, 28)
  await vi.waitFor(() => expect(updates).toEqual([moved]))
  expect(stream.line.state).toBe('live')
  expect(resets).not.toHaveBeenCalled()
})

test.each([
  ['was refused', (first: Asked) => first.open(503)],
  ['broke before it said where it stands', (first: Asked) => first.open().end()],
])('where the first line %s, what was read meanwhile is read again once it is open', async (_, fail) => {
  const { stream, resets } = tab()
  fail(await asked(1))
  await stands(stream, 'offline') // pages are read now; the next line does not know of what happens until it opens
  page.events.dispatchEvent(new Event('online'))
  const second = await asked(2)
  second.open().tell('hello', { last: 28, resumed: false }, 28)
  await vi.waitFor(() => expect(resets).toHaveBeenCalledTimes(1))
  second.end()
  await stands(stream, 'offline')
  page.events.dispatchEvent(new Event('online'))
  const third = await asked(3)
  expect(third.path).toMatch(/\?after=28$/)
  third.open().tell('hello', { last: 28, resumed: true }).tell('reset', { reason: 'too_old', last: 40 }, 40)
  await vi.waitFor(() => expect(resets).toHaveBeenCalledTimes(2))
})

test('a tab that has heard nothing yet goes on where the one before it ended', async () => {
  const one = tab()
  const first = await asked(1)
  first.open().tell('hello', { last: 27, resumed: false }, 27)
  await stands(one.stream, 'live')
  const two = tab()
  await stands(two.stream, 'live')
  one.end()
  const second = await asked(2)
  expect(second.path).toMatch(/\?after=27$/)
  second.open().tell('hello', { last: 28, resumed: true }).tell('alert', moved, 28)
  await vi.waitFor(() => expect(two.updates).toEqual([moved]))
  expect(two.resets).not.toHaveBeenCalled()
})

test('a line that says what nobody can read is closed before the next one is asked for', async () => {
  const { stream } = tab()
  const first = (await asked(1)).open()
  first.say('event: alert\nid: 3\ndata: {"what"\n\n')
  await stands(stream, 'offline')
  expect(first.signal.aborted).toBe(true)
})
