import { createContext, use, useEffect, useMemo, useSyncExternalStore, type ReactNode } from 'react'

import { Stream, type Line } from './stream'

const Context = createContext<Stream | null>(null)

export function StreamProvider({ children }: { children: ReactNode }) {
  const stream = useMemo(() => new Stream(), [])
  useEffect(() => stream.start(), [stream])
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
