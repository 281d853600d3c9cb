/** What is to be said instead: rewrites put into the script's lines, and the script that comes of it. Pure. */
import type { Check, Finding } from './data'

/** Changed lines: number → new text. */
export type Draft = ReadonlyMap<number, string>

export interface Offer {
  from: string
  /** "": left out. */
  to: string
  /** Is it made for these very words? */
  fits: boolean
}

/** How rules write that words have no other wording. */
const LEFT_OUT = /^删去|^删掉/

const LONGEST_FROM = 60

/** The finding's rewrites in a line, those that fit first. Rules name examples: where none of their words stands in the line,
 * the words that were found are replaced, from the first to the last of them. */
export function offersFor(finding: Finding, text: string): Offer[] {
  const found: Offer[] = []
  const add = (from: string, instead: string, fits: boolean) => {
    const to = LEFT_OUT.test(instead) ? '' : instead
    if (from && text.includes(from) && (!to || !text.includes(to)) && !found.some((each) => each.from === from && each.to === to)) found.push({ from, to, fits })
  }
  const hits = hitsOf(finding)
  for (const [old, instead] of Object.entries(finding.advice.rewrite ?? {})) {
    if (text.includes(old)) add(old, instead, true)
    else {
      const near = hits.find(({ said, meant }) => said.includes(old) || meant.includes(old))
      add(near?.said ?? across(finding), instead, near !== undefined)
    }
  }
  return found.toSorted((a, b) => Number(b.fits) - Number(a.fits))
}

function hitsOf(finding: Finding): { said: string; meant: string }[] {
  return own(finding).map((span) => ({ said: slice(finding.text, span.start, span.end), meant: span.term ?? '' }))
}

function own(finding: Finding) {
  return finding.spans.filter((span) => span.event == null || span.event === finding.event_id)
}

/** From the first found word to the last. */
function across(finding: Finding): string {
  const spans = own(finding)
  const from = Math.min(...spans.map((span) => span.start))
  const to = Math.max(...spans.map((span) => span.end))
  return spans.length && to - from <= LONGEST_FROM ? slice(finding.text, from, to) : ''
}

const slice = (text: string, start: number, end: number) => Array.from(text).slice(start, end).join('')

/** Lines as the service counts them. */
const LINE_END = /\r\n|\r|\n/

/** What each line says before it is changed: as it was sent where this page knows it, else as it was kept. */
export function linesBefore(check: Check, sent: string | undefined): (line: number) => string {
  const kept = new Map(check.details.lines.map((each) => [each.line, each.text]))
  const lines = sent?.split(LINE_END)
  return (line) => lines?.[line - 1]?.trim() ?? kept.get(line) ?? ''
}

/** The script with its changed lines; a line that was emptied is left out. */
export function scriptOf(check: Check, sent: string | undefined, draft: Draft): string {
  const lines = sent === undefined
    ? check.details.lines.map(({ line, text }) => draft.get(line) ?? text)
    : sent.split(LINE_END).map((text, i) => draft.get(i + 1) ?? text)
  return lines.join('\n')
}

/** Are contact data missing from what this page knows of the script? */
export const isMasked = (check: Check, sent: string | undefined): boolean =>
  sent === undefined && check.details.lines.some(({ text }) => text.includes('**'))

/** With the line's new text; one that is as before is no change. */
export function changed(draft: Draft, line: number, text: string, before: string): Draft {
  const next = new Map(draft)
  if (text === before) next.delete(line)
  else next.set(line, text)
  return next
}
