/** Who works here, and what they may do. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, use, useCallback, type ReactNode } from 'react'

import { api, get, identify, Refusal, type Me } from './client'

interface Session {
  me: Me
  /** Is the permission held anywhere? Everybody holds ''. The service asks again where it matters. */
  may: (permission: string) => boolean
  signedIn: (me: Me) => void
  signOut: () => Promise<void>
}

const Context = createContext<Session | null>(null)
const KEY = ['session']

export function useSession(): Session {
  const session = use(Context)
  if (!session) throw new Error('no session above')
  return session
}

export function SessionProvider({ children, signIn, waiting, trouble }: {
  children: ReactNode
  signIn: (done: (me: Me) => void) => ReactNode
  waiting: ReactNode
  trouble: (error: Error, again: () => void) => ReactNode
}) {
  const client = useQueryClient()
  const asked = useQuery({
    queryKey: KEY,
    queryFn: async ({ signal }) => {
      const me = await get(api.GET('/api/v1/session', { signal }))
      identify(me)
      return me
    },
    retry: (tries, error) => !(error instanceof Refusal && error.signedOut) && tries < 3,
    staleTime: 60_000,
    refetchInterval: 600_000, // its secret changes every quarter of an hour
  })
  const signedIn = useCallback((me: Me) => {
    identify(me)
    client.setQueryData(KEY, me)
  }, [client])
  const signOut = useCallback(async () => {
    await get(api.DELETE('/api/v1/session'))
    client.clear()
    globalThis.location.assign('/')
  }, [client])
  const me = asked.data
  if (me) {
    const may = (permission: string) => permission === '' || (me.permissions[permission] ?? []).length > 0
    return <Context value={{ me, may, signedIn, signOut }}>{children}</Context>
  }
  if (asked.error instanceof Refusal && asked.error.signedOut) return signIn(signedIn)
  if (asked.error) return trouble(asked.error, () => void asked.refetch())
  return waiting
}
