/** A broadcast read once, and then its end again and again while it runs. */
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'

import { api, get } from '../../api/client'
import { useStream } from '../../live/context'
import { merged, type Range, type Timeline } from './model'

const LOOK_MS = 5_000
/** What may still change at the end: late events, findings over several of them. */
const AGAIN_MS = 120_000
export const MOST_LINES = 500
/** What was written for so long after a moment belongs to it. */
const NEAR_MS = 30_000

const keyFor = (room: string, broadcast: string | null) => ['timeline', room, broadcast]

function read(room: string, broadcast: string | null, since: number | null, signal: AbortSignal): Promise<Timeline> {
  const query = { ...(broadcast ? { broadcast } : {}), ...(since === null ? {} : { since: String(since) }) }
  return get(api.GET('/api/v1/rooms/{room}/timeline', { params: { path: { room }, query }, signal }))
}

export function useTimeline(room: string, broadcast: string | null) {
  const client = useQueryClient()
  const stream = useStream()
  const anew = useRef(false)
  const asked = useQuery({
    queryKey: keyFor(room, broadcast),
    queryFn: async ({ signal }) => {
      const known = client.getQueryData<Timeline>(keyFor(room, broadcast))
      if (!known || anew.current) {
        anew.current = false
        return read(room, broadcast, null, signal)
      }
      const tail = await read(room, broadcast, Math.max(known.since, known.until - AGAIN_MS), signal)
      return merged(known, tail) ?? read(room, broadcast, null, signal)
    },
    structuralSharing: false,
    refetchInterval: (query) => (query.state.data?.broadcast.ended_at === null ? LOOK_MS : false),
  })
  useEffect(() => {
    const offUpdate = stream.onUpdate(({ alert }) => {
      if (alert.room !== room) return
      client.setQueryData<Timeline>(keyFor(room, broadcast), (known) => known && {
        ...known, points: known.points.map((point) => (point.alert === alert.id ? { ...point, state: alert.state, outcome: alert.outcome ?? '' } : point)),
      })
    })
    const offReset = stream.onReset(() => {
      anew.current = true
      void client.invalidateQueries({ queryKey: keyFor(room, broadcast) })
    })
    return () => {
      offUpdate()
      offReset()
    }
  }, [stream, client, room, broadcast])
  return asked
}

/** Events of a part of the broadcast. No flood of comments hides those of the host side, nor what was written around the
 * moment that is looked at (`near`): these are read by themselves. */
export function useLines(room: string, { from, to }: Range, near: number | null, running: boolean) {
  const until = near !== null && near >= from && near < to ? Math.min(to, near + NEAR_MS) : to
  return useQuery({
    queryKey: ['lines', room, from, to, until],
    queryFn: async ({ signal }) => {
      const asked = (before: number, kind?: 'transcript') => get(api.GET('/api/v1/events', {
        params: { query: { room, since: String(from), until: String(before), limit: MOST_LINES, ...(kind ? { kind } : {}) } }, signal,
      }))
      const all = (await asked(to)).events
      if (all.length < MOST_LINES) return { events: all, cut: false }
      const spoken = (await asked(to, 'transcript')).events
      return { events: [...all, ...spoken, ...(until < to ? (await asked(until)).events : [])], cut: true }
    },
    staleTime: running ? 4_000 : 60_000, placeholderData: keepPreviousData, gcTime: 60_000,
  })
}
