/** The evening as a shift looks at it first: what is silent before what is due, before what runs. */
import { two } from '../../parts/clock'
import type { Schemas } from '../../api/client'

export type PlanLine = Schemas['monitor.domain.evening.Line']
export type Airing = PlanLine['state']

export const ORDER = ['silent', 'due', 'on_air', 'unplanned', 'ended', 'to_come'] as const satisfies readonly Airing[]
/** Told in the head of the list; what has ended is of less use there. */
export const COUNTED = ['on_air', 'due', 'to_come', 'unplanned'] as const satisfies readonly Airing[]

/** Silent first, the longest of them before others; all else by its start. */
export function ranked(lines: readonly PlanLine[]): PlanLine[] {
  return [...lines].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.starts - b.starts || (a.room < b.room ? -1 : 1))
}

const DAY_MS = 86_400_000
const SOON_DAYS = 14

export interface Ending {
  paper: string
  /** Whole days; negative where it has run out. */
  days: number
}

/** The host's paper that ends first, if that is soon. */
export function ending(papers: Record<string, { ends?: number | string | null }> | undefined, now: number): Ending | null {
  let first: Ending | null = null
  for (const [paper, { ends }] of Object.entries(papers ?? {})) {
    if (ends === null || ends === undefined) continue
    const at = typeof ends === 'number' ? ends : Date.parse(ends)
    const days = Math.floor((at - now) / DAY_MS)
    if (days <= SOON_DAYS && (!first || days < first.days)) first = { paper, days }
  }
  return first
}

/** Hours and minutes are enough where nobody counts seconds: 4,000 s → `1:06`. */
export function rough(seconds: number): string {
  const minutes = Math.max(0, Math.trunc(seconds / 60))
  return `${Math.trunc(minutes / 60)}:${two(minutes % 60)}`
}
