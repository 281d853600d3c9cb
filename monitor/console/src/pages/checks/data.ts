/** Script checks as the service keeps them. */
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'

import { api, get, type Schemas } from '../../api/client'

export type Check = Schemas['ShownCheck']
export type Summary = Schemas['Summary']
/** With what says the same of the same words. */
export type Finding = Schemas['Finding'] & Partial<Pick<Schemas['Remark'], 'also'>>
export type Clause = Schemas['Clause']

const PAGE = 100

/** The latest version of each script, those checked last first. */
export function useScripts() {
  const asked = useInfiniteQuery({
    queryKey: ['checks'],
    queryFn: ({ signal, pageParam }) =>
      get(api.GET('/api/v1/checks', { params: { query: { limit: PAGE, ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    initialPageParam: '',
    getNextPageParam: (page) => page.next,
  })
  const latest = new Map<string, Summary>()
  for (const each of asked.data?.pages.flatMap((page) => page.checks) ?? []) if (!latest.has(each.id)) latest.set(each.id, each)
  return { ...asked, scripts: [...latest.values()] }
}

/** Of one script, the newest first. */
export function useVersions(id: string) {
  return useQuery({
    queryKey: ['checks', id, 'versions'],
    queryFn: ({ signal }) => get(api.GET('/api/v1/checks', { params: { query: { id, limit: PAGE } }, signal })),
  }).data?.checks ?? []
}

export function useCheck(id: string, version: number | null) {
  return useQuery({
    queryKey: ['checks', id, version],
    queryFn: ({ signal }) => get(api.GET('/api/v1/checks/{id}', { params: { path: { id }, query: version ? { version } : {} }, signal })),
    staleTime: version ? Infinity : 0,
  })
}

export interface Sent {
  name: string
  room: string
  /** Its text, or a Word document, which the service reads. */
  script: string | File
}

/** Has it judged and kept; throws `Refusal`. */
export function useChecking(): (sent: Sent) => Promise<Check> {
  const client = useQueryClient()
  return useCallback(async ({ name, room, script }) => {
    const made = await (typeof script === 'string'
      ? get(api.POST('/api/v1/checks', { body: { name, room, text: script } }))
      : get(api.POST('/api/v1/checks', {
        params: { query: { name, file: script.name, ...(room ? { room } : {}) } },
        body: script as never, bodySerializer: (file) => file as never, headers: { 'Content-Type': 'application/octet-stream' },
      })))
    if (typeof script === 'string') remember(made.summary, script)
    client.setQueryData(['checks', made.summary.id, null], made)
    client.setQueryData(['checks', made.summary.id, made.summary.version], made)
    void client.invalidateQueries({ queryKey: ['checks'], exact: true })
    void client.invalidateQueries({ queryKey: ['checks', made.summary.id, 'versions'] })
    return made
  }, [client])
}

/** Texts as they were sent from this page: what the service keeps has no contact data in it. */
const sentHere = new Map<string, string>()
const nameOf = ({ id, version }: Pick<Summary, 'id' | 'version'>) => `${id}/${version}`

function remember(of: Summary, text: string): void {
  sentHere.set(nameOf(of), text)
}

export const rememberedOf = (of: Pick<Summary, 'id' | 'version'>): string | undefined => sentHere.get(nameOf(of))
