/** All that a storm holds is moved step by step, so that no request takes long. */
import { api, get, type Schemas } from '../../api/client'

export type Step = Schemas['MovedAll']
export type HeldMove = Schemas['HeldMove']['move']

export interface Progress {
  moved: number
  refused: number
  /** One of the reasons why some were refused. */
  why: string
  /** How many are held still. */
  left: number
}

/** Until there is nothing more, or until it is aborted. Throws what a step throws; what was moved stays so. */
export async function moveAll(
  step: (cursor: string | null) => Promise<Step>, onStep: (progress: Progress) => void, signal: AbortSignal,
): Promise<void> {
  const done: Progress = { moved: 0, refused: 0, why: '', left: 0 }
  let cursor: string | null = null
  do {
    const told: Step = await step(cursor)
    const refused = Object.values(told.refused)
    done.moved += told.moved
    done.refused += refused.length
    done.why ||= refused[0] ?? ''
    done.left = told.left
    onStep({ ...done })
    cursor = told.next
  } while (cursor !== null && !signal.aborted)
}

const held = (storm: string) => ({ params: { path: { why: 'storm', by: storm } } })

export const stepOf = (storm: string, move: HeldMove) => (cursor: string | null): Promise<Step> =>
  get(api.POST('/api/v1/held/{why}/{by}', { ...held(storm), body: { move, cursor, limit: 500 } }))

export const heldPage = (storm: string, cursor: string | null, signal: AbortSignal) =>
  get(api.GET('/api/v1/held/{why}/{by}', {
    params: { ...held(storm).params, query: { limit: 50, ...(cursor ? { cursor } : {}) } }, signal,
  }))
