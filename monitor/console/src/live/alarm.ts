/** Sound and desktop notices, both off until somebody wants them. One tab of a browser sounds, the one that reads the
 * stream; at most one tone in five seconds, and past ten in ten minutes none but for what is critical. */
import { useSyncExternalStore } from 'react'

import type { Update } from './stream'

export type Wish = 'sound' | 'notify'
const KEPT = { sound: 'redpost.sound', notify: 'redpost.notify' } as const
const APART_MS = 5_000
const WINDOW_MS = 600_000
const MOST = 10
const AGAIN_MS = 30_000
const TIMES = 3
const TONES = { critical: [880, 660, 880], high: [660] } as const

export type Urgency = keyof typeof TONES

/** When what may sound; pure but for what it remembers. Times in ms. */
export class Pace {
  private readonly sounded: number[] = []

  /** May it sound now? */
  take(urgency: Urgency, now: number): boolean {
    while (this.sounded.length && now - this.sounded[0]! > WINDOW_MS) this.sounded.shift()
    if (now - (this.sounded.at(-1) ?? -Infinity) < APART_MS) return false
    if (this.sounded.length >= MOST && urgency !== 'critical') return false
    this.sounded.push(now)
    return true
  }
}

export function urgencyOf({ what, alert }: Update): Urgency | null {
  if (what !== 'opened' || alert.state !== 'open') return null
  if (alert.severity === 'critical' || alert.tier === 'care') return 'critical'
  return alert.severity === 'high' ? 'high' : null
}

export class Alarm {
  private context: AudioContext | null = null
  private readonly pace = new Pace()
  private readonly waiting = new Map<string, ReturnType<typeof setTimeout>>()

  private readonly watchers = new Set<() => void>()

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  wants(wish: Wish): boolean {
    return localStorage.getItem(KEPT[wish]) === 'on'
  }

  /** Called by a click or key, which is what lets a browser sound and ask. `false`: it was not allowed. */
  async choose(wish: Wish, on: boolean): Promise<boolean> {
    if (on && wish === 'notify' && (!('Notification' in globalThis) || (await Notification.requestPermission()) !== 'granted')) return false
    localStorage.setItem(KEPT[wish], on ? 'on' : 'off')
    for (const watcher of this.watchers) watcher()
    if (on && wish === 'sound') this.play('high')
    return true
  }

  take(update: Update, words: (urgency: Urgency) => string): void {
    const { id, state } = update.alert
    if (state !== 'open') this.calm(id)
    const urgency = urgencyOf(update)
    if (!urgency) return
    this.sound(urgency)
    if (this.wants('notify') && document.hidden) this.notify(urgency, words(urgency))
    if (urgency === 'critical') this.remind(id, TIMES)
  }

  /** Nobody has claimed it yet: once more. */
  private remind(id: string, left: number): void {
    if (!left || this.waiting.size >= 100) return
    this.waiting.set(id, setTimeout(() => {
      this.sound('critical')
      this.waiting.delete(id)
      this.remind(id, left - 1)
    }, AGAIN_MS))
  }

  private calm(id: string): void {
    clearTimeout(this.waiting.get(id))
    this.waiting.delete(id)
  }

  private sound(urgency: Urgency): void {
    if (this.wants('sound') && this.pace.take(urgency, Date.now())) this.play(urgency)
  }

  /** No words on a lock screen: the level alone. */
  private notify(urgency: Urgency, words: string): void {
    // oxlint-disable-next-line no-new -- shown by being made
    new Notification(words, { tag: urgency, silent: true })
  }

  private play(urgency: Urgency): void {
    this.context ??= new AudioContext()
    const { context } = this
    void context.resume()
    const quiet = [...document.querySelectorAll('video, audio')].some((each) => !(each as HTMLMediaElement).paused)
    for (const [n, frequency] of TONES[urgency].entries()) {
      const tone = context.createOscillator()
      const gain = context.createGain()
      const at = context.currentTime + n * 0.16
      tone.frequency.value = frequency
      gain.gain.setValueAtTime(quiet ? 0.04 : 0.15, at)
      gain.gain.exponentialRampToValueAtTime(0.001, at + 0.15)
      tone.connect(gain).connect(context.destination)
      tone.start(at)
      tone.stop(at + 0.15)
    }
  }
}

export const alarm = new Alarm()

export const useWish = (wish: Wish): boolean => useSyncExternalStore(alarm.watch, () => alarm.wants(wish))
