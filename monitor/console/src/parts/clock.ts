/** One tick a second for everything that counts. */
import { useSyncExternalStore } from 'react'

import { serviceNow } from '../api/client'

const watchers = new Set<() => void>()
let second = Math.floor(serviceNow() / 1_000)
let timer: ReturnType<typeof setInterval> | undefined

function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  timer ??= setInterval(() => {
    second = Math.floor(serviceNow() / 1_000)
    for (const each of watchers) each()
  }, 1_000)
  return () => {
    watchers.delete(watcher)
    if (!watchers.size) {
      clearInterval(timer)
      timer = undefined
    }
  }
}

/** The service's time in whole seconds. */
export const useSecond = () => useSyncExternalStore(watch, () => second)

/** 7 → `07`. */
export const two = (n: number) => String(n).padStart(2, '0')

/** 72 → `01:12`, 4,000 → `1:06:40`; a minus where it is over. */
export function span(seconds: number): string {
  const whole = Math.abs(Math.trunc(seconds))
  const [h, m, s] = [Math.trunc(whole / 3600), Math.trunc(whole / 60) % 60, whole % 60]
  return (seconds < 0 ? '-' : '') + (h ? `${h}:${two(m)}:${two(s)}` : `${two(m)}:${two(s)}`)
}

/** Time of day of a UTC time (ms), where the reader is. */
export function timeOfDay(ms: number, seconds = true): string {
  const date = new Date(ms)
  const parts = [date.getHours(), date.getMinutes(), ...(seconds ? [date.getSeconds()] : [])]
  return parts.map(two).join(':')
}

/** `11-27 20:14`, where the reader is. */
export function dayAndTime(ms: number): string {
  const date = new Date(ms)
  return `${two(date.getMonth() + 1)}-${two(date.getDate())} ${timeOfDay(ms, false)}`
}

/** A UTC time (ms) as the browser's own field for day and time has it, where the reader is. */
export function fieldTime(ms: number): string {
  const at = new Date(ms)
  return `${String(at.getFullYear()).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`
}

/** The day of a UTC time (ms) where the reader is: `2026-11-27`. */
export const dayOf = (ms: number): string => fieldTime(ms).slice(0, 10)
