import { useState } from 'react'

import { Player } from '../../parts/player'
import { offsetAt, type Line } from './lines'

/** The recording around the moment that is looked at. Where it lies in it is settled once: lines that come while somebody
 * listens change nothing. Give it the moment as its key. */
export function Listen({ room, broadcast, address, at, lines, onHeard }: {
  room: string
  broadcast: string
  address: string
  at: number
  lines: readonly Line[]
  onHeard: (at: number | null) => void
}) {
  const [settled, setSettled] = useState<number | null>(null)
  const offset = settled ?? offsetAt(lines, at)
  if (offset !== settled) setSettled(offset)
  return <Player key={offset === null ? '' : 'settled'} scope="queue" onHeard={onHeard} moment={{ room, broadcast, address, offset, at }} />
}
