/** What is to be said instead: rewrites put into the script's lines, and the script that comes of it. Pure. */
import type { Check, Finding } from './data'

/** Changed lines: number → new text. */
export type Draft = ReadonlyMap<number, string>

export interface Offer {
  from: string
  /** "": left out. */
  to: string
}

/** How rules write that words have no other wording. */
const LEFT_OUT = /^删去|^删掉/

/** Rewrites of what still stands in the line: the finding's, or of the first that says the same. */
export const offersFor = (finding: Finding, text: string): Offer[] =>
  [finding, ...finding.also ?? []]
    .map(({ advice }) => Object.entries(advice.rewrite ?? {})
      .map(([from, instead]) => ({ from, to: LEFT_OUT.test(instead) ? '' : instead }))
      .filter(({ from, to }) => text.includes(from) && (!to || !text.includes(to))))
    .find((offers) => offers.length > 0) ?? []

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
