/** Which rooms the wall shows, and in which order. */
import type { Schemas } from '../../api/client'

export type OnAir = Schemas['OnAir']

export interface Asked {
  unit: string
  platform: string
  name: string
  only: '' | 'quiet' | 'risk'
}

const NAMES = ['unit', 'platform', 'name', 'only'] as const

export function askedOf(params: URLSearchParams): Asked {
  const [unit, platform, name, only] = NAMES.map((each) => params.get(each) ?? '')
  return { unit: unit!, platform: platform!, name: name!, only: only === 'quiet' || only === 'risk' ? only : '' }
}

/** Only what is set stands in the address. */
export const paramsOf = (asked: Asked): Record<string, string> =>
  Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ''))

/** Graver minutes weigh more. */
export const risk = (room: OnAir): number => room.findings.reduce((sum, count, n) => sum + count * (room.worst[n] ?? 0), 0)

export const total = (room: OnAir): number => room.findings.reduce((sum, count) => sum + count, 0)

export type Above = ReadonlyMap<string, string>

/** Is `unit` the `top` one or below it? */
export function below(above: Above, unit: string, top: string): boolean {
  for (let at: string | undefined = unit, steps = 0; at && steps < 50; at = above.get(at), steps++) if (at === top) return true
  return false
}

export function matching(rooms: readonly OnAir[], asked: Asked, above: Above): OnAir[] {
  const name = asked.name.toLowerCase()
  return rooms.filter((room) =>
    (!asked.unit || below(above, room.unit, asked.unit)) && (!asked.platform || room.platform === asked.platform) &&
    (!name || `${room.title} ${room.room}`.toLowerCase().includes(name)) &&
    (asked.only !== 'quiet' || room.silent || room.mute) && (asked.only !== 'risk' || total(room) > 0))
}

/** By risk, the gravest first; before all those without a sign, then those whose host is not heard. */
export const byRisk = (rooms: readonly OnAir[]): string[] =>
  [...rooms].sort((a, b) => Number(b.silent) - Number(a.silent) || Number(b.mute) - Number(a.mute) || risk(b) - risk(a) || (a.room < b.room ? -1 : 1)).map((room) => room.room)

/** In an order that was set before: rooms that came since stand behind, those that went leave no hole. */
export function inOrder(rooms: readonly OnAir[], order: readonly string[]): OnAir[] {
  const known = new Map(rooms.map((room) => [room.room, room]))
  const old = order.flatMap((name) => known.get(name) ?? [])
  const set = new Set(order)
  return [...old, ...rooms.filter((room) => !set.has(room.room))]
}
