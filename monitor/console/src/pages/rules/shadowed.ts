/** What a page makes of a rule's time in the shadow. Pure. */
import type { Schemas } from '../../api/client'

type Trial = Schemas['ShadowTrial']
type Day = Schemas['ShadowDay']

const DAY_MS = 86_400_000

/** So many found that no other rule has an alert of. */
export const alone = (of: Pick<Trial, 'looked_at' | 'with_alert'>): number => of.looked_at - of.with_alert

/** Each day from the first to the last, newest first; on some nothing was found. */
export function daysOf(found: readonly Day[]): Day[] {
  const known = new Map(found.map(({ day, findings }) => [day, findings]))
  const [first, last] = [found[0]?.day, found.at(-1)?.day]
  if (!first || !last) return []
  const days: Day[] = []
  for (let at = Date.parse(last); at >= Date.parse(first); at -= DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10)
    days.push({ day, findings: known.get(day) ?? 0 })
  }
  return days
}

/** The text with the rule active; null where it does not say that it is in the shadow. */
export function activated(text: string): string | null {
  const next = text.replace(/^status:[ \t]*(['"]?)shadow\1(?=[ \t]*(?:#.*)?$)/m, 'status: active')
  return next === text ? null : next
}
