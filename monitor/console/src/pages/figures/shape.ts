/** From the service's counts to what is drawn. */
import { two } from '../../parts/clock'
import type { Schemas } from '../../api/client'

export type Figures = Schemas['FiguresAnswer']
const DAY = 86_400_000
export const RANGES = { day: 1, week: 7, month: 31 } as const
export type RangeName = keyof typeof RANGES

export interface Asked {
  range: RangeName
  post?: string
  unit?: string
  room?: string
  compare: boolean
}

export function askedOf(params: URLSearchParams): Asked {
  const range = params.get('range') ?? 'day'
  return {
    range: Object.hasOwn(RANGES, range) ? (range as RangeName) : 'day', compare: params.get('compare') === '1',
    ...Object.fromEntries(['post', 'unit', 'room'].flatMap((name) => (params.get(name) ? [[name, params.get(name)!]] : []))),
  }
}

export function paramsOf({ range, compare, ...where }: Asked): Record<string, string> {
  return { ...(range === 'day' ? {} : { range }), ...where, ...(compare ? { compare: '1' } : {}) }
}

/** The last 24 hours end with the hour that runs, days with the day that runs, so that steps are whole ones. */
export function boundsOf(range: RangeName, now: number): { since: number; until: number } {
  const end = new Date(now)
  if (range === 'day') end.setHours(end.getHours() + 1, 0, 0, 0)
  else end.setHours(24, 0, 0, 0)
  const until = end.getTime()
  return { since: until - RANGES[range] * DAY, until }
}

/** Of every step, how many; of one category, or of all. */
export function steps(figures: Figures, category: string | null): [at: number, alerts: number][] {
  const { since, until, step_ms: step } = figures
  const found = new Map<number, number>()
  for (let at = since; at < until; at += step) found.set(at, 0)
  for (const { at, category: of, alerts } of figures.over_time)
    if (category === null || of === category) found.set(at, (found.get(at) ?? 0) + alerts)
  return [...found]
}

export function byCategory(figures: Figures): [category: string, alerts: number][] {
  const found = new Map<string, number>()
  for (const { category, alerts } of figures.over_time) found.set(category, (found.get(category) ?? 0) + alerts)
  return [...found].sort((a, b) => b[1] - a[1])
}

/** Decisions of each post in every hour from the first to the last one. */
export function hours(load: Figures['load']): { at: number[]; posts: { post: string; decided: number[] }[] } {
  if (load.length === 0) return { at: [], posts: [] }
  const times = load.map((each) => each.at)
  const [first, last] = [Math.min(...times), Math.max(...times)]
  const at = Array.from({ length: (last - first) / 3_600_000 + 1 }, (_, n) => first + n * 3_600_000)
  const posts = [...new Set(load.map((each) => each.post))].map((post) => {
    const decided = at.map(() => 0)
    for (const each of load) if (each.post === post) decided[(each.at - first) / 3_600_000] = each.decided
    return { post, decided }
  })
  return { at, posts }
}

/** 45 s, 3 min, 1.5 h: as few signs as tell it. */
export function took(seconds: number, language: 'zh' | 'en'): string {
  const [s, min, h, d] = language === 'zh' ? ['秒', '分', '小时', '天'] : [' s', ' min', ' h', ' d']
  if (seconds < 60) return `${seconds}${s}`
  if (seconds < 600) return `${Math.floor(seconds / 60)}${min}${seconds % 60 ? `${seconds % 60}${s}` : ''}`.replace(' min', ' min ').trim()
  if (seconds < 3600) return `${Math.round(seconds / 60)}${min}`
  if (seconds < 172_800) return `${Math.round(seconds / 360) / 10}${h}`
  return `${Math.round(seconds / 86_400)}${d}`
}

/** 312 of 860 → 36%; whole figures only: of ten decisions no tenth of a percent is known. */
export const percent = (part: number, whole: number) => (whole ? `${Math.round((100 * part) / whole)}%` : '–')

export const dayAndTime = (ms: number, hour: boolean) => {
  const date = new Date(ms)
  const day = `${date.getMonth() + 1}/${date.getDate()}`
  return hour ? `${two(date.getHours())}:00` : day
}
