import { useQueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, useMemo, useSyncExternalStore, type ReactNode } from 'react'

import { onSignedOut } from '../api/client'
import { Stream, type Line } from './stream'

const Context = createContext<Stream | null>(null)

/** Whatever page is open: a refused request asks for a sign-in, and once the line is back, what could not be read is read. */
export function StreamProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const stream = useMemo(() => new Stream(), [])
  useEffect(() => stream.start(), [stream])
  useEffect(() => onSignedOut(() => stream.signedOut()), [stream])
  useEffect(() => {
    const again = () => void client.refetchQueries({ type: 'active', predicate: ({ state }) => state.status === 'error' })
    const off = stream.watchLine(() => stream.line.state === 'live' && again())
    globalThis.addEventListener('online', again)
    return () => {
      off()
      globalThis.removeEventListener('online', again)
    }
  }, [stream, client])
  return <Context value={stream}>{children}</Context>
}

export function useStream(): Stream {
  const stream = use(Context)
  if (!stream) throw new Error('no stream above')
  return stream
}

export function useLine(): Line {
  const stream = useStream()
  return useSyncExternalStore(stream.watchLine, stream.lineNow)
}
