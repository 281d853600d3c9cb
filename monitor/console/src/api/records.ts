/** A tenant's records, read once and kept for a while. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { useMemo } from 'react'

import { api, get, type Schemas } from './client'

export type RecordAnswer = Schemas['RecordAnswer']

export function useReading(kind: string): UseQueryResult<RecordAnswer[]> {
  return useQuery({
    queryKey: ['records', kind],
    queryFn: async ({ signal }) => {
      const found: RecordAnswer[] = []
      let cursor: string | null | undefined
      do {
        const query = { limit: 1000, ...(cursor ? { cursor } : {}) }
        const page = await get(api.GET('/api/v1/records/{kind}', { params: { path: { kind: kind as never }, query }, signal }))
        found.push(...page.records)
        cursor = page.next
      } while (cursor)
      return found
    },
    staleTime: 300_000,
  })
}

export const useRecords = (kind: string): RecordAnswer[] | undefined => useReading(kind).data

export interface RoomRecord {
  title?: string
  platform?: string
  account?: string
  media?: string
  unit?: string
}

/** Rooms by id, as their records name them. */
export function useRooms(): ReadonlyMap<string, RoomRecord> {
  const records = useRecords('room')
  return useMemo(() => new Map(records?.map((each) => [each.id, each.record as RoomRecord])), [records])
}
