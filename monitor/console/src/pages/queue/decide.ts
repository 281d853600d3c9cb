/** What a verdict on a card asks the service to do. Pure. */
import type { Alert, Card, Move, Schemas, Wanted } from '../../api/client'
import type { Language } from '../../i18n'
import { LEVEL_OF, REASONS_IN_ENGLISH } from '../../i18n/words'
import { isLive } from '../../live/board'

export type Remedy = Schemas['Remedy']
export type Verdict = 'violation' | 'no_violation' | 'exempt' | 'unclear' | 'escalate' | 'attended' | 'not_needed'

export interface Reason {
  id: string
  title: string
  outcomes: readonly string[]
}

export interface Ruling {
  verdict: Verdict
  reason: string
  clause: string
  proof: string
  note: string
  /** Categories of the card that do not hold. */
  unticked: ReadonlySet<string>
}

/** Why what is not ticked does not hold, when the same words break something else. */
const NOT_THIS = 'lawful_context'

export const levelOf = (alerts: readonly Alert[]): 1 | 2 | 3 | 4 | 5 =>
  Math.max(1, ...alerts.map((alert) => LEVEL_OF[alert.severity])) as 1 | 2 | 3 | 4 | 5

export const caring = (card: Card) => card.alerts.some((alert) => alert.tier === 'care')

export const categoriesOf = (card: Card): string[] => [...new Set(card.alerts.flatMap((alert) => alert.category))]

export const clausesOf = (card: Card): string[] => [...new Set(card.alerts.flatMap((alert) => alert.clauses))]

/** A reason as its reader calls it. */
export const reasonIn = (language: Language, { id, title }: Pick<Reason, 'id' | 'title'>): string =>
  (language === 'en' && REASONS_IN_ENGLISH[id]) || title

/** A clause in few characters: `广告法 第九条第三项`. */
export const shortClause = ({ document, article }: { document: string; article: string }): string =>
  `${document.replaceAll(/[《》]/g, '').replace(/^中华人民共和国/, '').replace(/（[^）]*[\d令][^）]*）$/, '')} ${article}`.trim()

/** What is to be said instead of what was said, of all that the card's rules name: of the same words, and in the same words, once. */
export function rewritesOf(card: Pick<Card, 'alerts'> | undefined): [said: string, instead: string][] {
  const found: [string, string][] = []
  for (const [said, instead] of (card?.alerts ?? []).flatMap(({ advice }) => Object.entries(advice.rewrite ?? {})))
    if (!found.some(([words, same]) => same === instead || words.includes(said) || said.includes(words))) found.push([said, instead])
  return found
}

/** Why the card is here: of each first category the first rule's reason, and how many others say the same. */
export function titlesOf(card: Pick<Card, 'alerts'>): { titles: string[]; others: string[] } {
  const first = card.alerts.filter(({ category }, i) => card.alerts.findIndex((other) => other.category[0] === category[0]) === i)
  const titles = [...new Set(first.map(({ title }) => title))]
  return { titles, others: [...new Set(card.alerts.map(({ title }) => title))].filter((title) => !titles.includes(title)) }
}

/** Reasons of a verdict, the usual one first. */
export function reasonsFor(verdict: Verdict, all: readonly Reason[]): Reason[] {
  const usual: Partial<Record<Verdict, string>> = { violation: 'as_found', no_violation: 'lawful_context', exempt: 'true_and_proven' }
  return all.filter((reason) => reason.outcomes.includes(verdict))
    .sort((a, b) => Number(b.id === usual[verdict]) - Number(a.id === usual[verdict]))
}

/** Those who decide the card in one stroke: every live alert of it in the version that was seen. */
export function movesFor(card: Card, ruling: Ruling): Wanted[] {
  return card.alerts.filter(isLive).map((alert) => ({
    alert: alert.id, version: alert.version ?? null, move: moveFor(alert, ruling),
  }))
}

function moveFor(alert: Alert, { verdict, reason, clause, proof, note, unticked }: Ruling): Move {
  if (verdict === 'escalate') return { move: 'escalate', note }
  const categories = alert.category.filter((category) => !unticked.has(category))
  const none = { clause: '', proof: '', note, categories: [] as string[] }
  if (verdict === 'violation') {
    if (!categories.length && alert.category.length)
      return { move: 'decide', outcome: 'no_violation', reason: NOT_THIS, ...none }
    const own = alert.clauses.includes(clause) ? clause : (alert.clauses[0] ?? clause)
    return { move: 'decide', outcome: 'violation', reason, ...none, categories, clause: own }
  }
  const rests = verdict === 'exempt' ? { clause, proof } : {}
  return { move: 'decide', outcome: verdict, reason, ...none, ...rests }
}

export const claims = (card: Card): Wanted[] =>
  card.alerts.filter(isLive).map((alert) => ({ alert: alert.id, version: null, move: { move: 'claim' } }))

export const releases = (card: Card, me: string): Wanted[] =>
  card.alerts.filter((alert) => alert.state === 'claimed' && alert.claimed_by === me)
    .map((alert) => ({ alert: alert.id, version: null, move: { move: 'release' } }))

/** What was done about the violations of a card. */
export const rectifies = (card: Card, remedy: Remedy, note: string): Wanted[] =>
  card.alerts.filter((alert) => alert.state === 'violation' || alert.state === 'rectified')
    .map((alert) => ({ alert: alert.id, version: null, move: { move: 'rectify', remedy, note } }))

export const undoes = (alerts: readonly string[]): Wanted[] =>
  alerts.map((alert) => ({ alert, version: null, move: { move: 'undo' } }))
