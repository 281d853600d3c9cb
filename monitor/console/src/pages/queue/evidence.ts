/** What is known of a moment, read once and kept; the next ones are read ahead. */
import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'

import { api, get, type Alert, type Card, type Evidence, type Schemas } from '../../api/client'

const FRESH_MS = 30_000
const SOON_MS = 1_000
const MOST = 9

const evidenceOf = (id: string) => ({
  queryKey: ['evidence', id],
  queryFn: ({ signal }: { signal: AbortSignal }) => get(api.GET('/api/v1/alerts/{id}', { params: { path: { id } }, signal })),
  staleTime: FRESH_MS,
})

/** Clauses by which what was found may be exempt. */
export const exemptOf = (known: Evidence): string[] => known.findings.flatMap((finding) => (finding.exempt ? [finding.exempt] : []))

/** All clauses that the evidence names, by id. */
export const clausesIn = (all: readonly Evidence[]): Map<string, Schemas['Clause']> =>
  new Map(all.flatMap((each) => (each.clauses ?? []).map((clause) => [clause.id, clause] as const)))

const idsOf = (card: Card | undefined) => (card && !card.storm ? card.alerts.slice(0, MOST).map((alert) => alert.id) : [])

export interface Known {
  /** Of the card's alerts, the first one's first. */
  all: Evidence[]
  loading: boolean
  failed: Error | null
  again: () => void
}

export function useEvidence(card: Card | undefined, ahead: readonly (Card | undefined)[]): Known {
  const client = useQueryClient()
  const answers = useQueries({ queries: idsOf(card).map(evidenceOf) })
  const next = ahead.flatMap((each) => idsOf(each).slice(0, 1)).join()
  useEffect(() => {
    for (const id of next ? next.split(',') : []) void client.prefetchQuery(evidenceOf(id))
  }, [client, next])
  return {
    all: answers.flatMap((answer) => (answer.data ? [answer.data] : [])),
    loading: answers.some((answer) => answer.isPending),
    failed: answers.find((answer) => answer.error)?.error ?? null,
    again: () => answers.forEach((answer) => void (answer.error && answer.refetch())),
  }
}

export function useHistory(id: string | undefined, version: number | undefined) {
  return useQuery({
    queryKey: ['history', id, version],
    queryFn: ({ signal }) => get(api.GET('/api/v1/alerts/{id}/history', { params: { path: { id: id ?? '' } }, signal })),
    placeholderData: (known, asked) => (asked?.queryKey[1] === id ? known : undefined), // a fold that is open stays so
    enabled: id !== undefined, staleTime: FRESH_MS,
  }).data
}

/** Other alerts of the broadcast, and the same words in other rooms. */
export function useRelated(alert: Alert | undefined) {
  const { id = '', room = '', broadcast = '' } = alert ?? {}
  const inBroadcast = useQuery({
    queryKey: ['earlier', room, broadcast],
    queryFn: ({ signal }) => get(api.GET('/api/v1/alerts', { params: { query: { room, broadcast, limit: 200 } }, signal })),
    enabled: alert !== undefined, staleTime: FRESH_MS,
  })
  const alike = useQuery({
    queryKey: ['alike', id],
    queryFn: ({ signal }) => get(api.GET('/api/v1/alerts/{id}/alike', { params: { path: { id } }, signal })),
    enabled: alert !== undefined, staleTime: FRESH_MS,
  }).data
  /** Whoever goes through them wants those that came meanwhile, too. */
  const latest = async () => (Date.now() - inBroadcast.dataUpdatedAt < SOON_MS ? inBroadcast : await inBroadcast.refetch()).data?.alerts ?? []
  return { earlier: inBroadcast.data?.alerts ?? [], latest, alike }
}

