/** The rules workbench as the service has it, and what is not saved yet. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, useSyncExternalStore } from 'react'

import { api, get, Refusal, type Schemas, told } from '../../api/client'
import { useLanguage } from '../../i18n'

export type RuleRow = Schemas['RuleRow']
export type FileRow = Schemas['FileRow']
export type FileView = Schemas['FileView']
export type Release = Schemas['RuleRelease']
export type Linted = Schemas['Linted']
export type Fault = Schemas['Fault']
export type Tried = Schemas['TriedRules']
export type DryRun = Schemas['DryRun']
export type Words = Schemas['RuleWords']

export const useRules = () =>
  useQuery({ queryKey: ['rules'], queryFn: ({ signal }) => get(api.GET('/api/v1/rules', { signal })), staleTime: 30_000 })

export const useWords = () =>
  useQuery({ queryKey: ['rule-words'], queryFn: ({ signal }) => get(api.GET('/api/v1/rules/words', { signal })), staleTime: Infinity })

/** What is to be published is looked at so often: the service publishes it by itself. */
const WAITING_MS = 10_000

export function useFile(path: string, version?: number) {
  return useQuery({
    queryKey: ['rule-file', path, version ?? 'newest'],
    queryFn: ({ signal }) => get(api.GET('/api/v1/rules/file', { params: { query: version === undefined ? { path } : { path, version } }, signal })),
    staleTime: version ? Infinity : 0,
    refetchInterval: ({ state }) => (state.data?.releases.some((each) => each.state === 'waiting') ? WAITING_MS : false),
    retry: (tries, error) => error instanceof Refusal && error.unreached && tries < 3,
  })
}

/** Everything that a saved or published version changes. */
export function useRefresh(path: string): () => Promise<void> {
  const client = useQueryClient()
  return async () => {
    await Promise.all([client.invalidateQueries({ queryKey: ['rule-file', path] }), client.invalidateQueries({ queryKey: ['rules'] })])
  }
}

export function useDryRun(path: string) {
  return useQuery({
    queryKey: ['dry-run', path],
    queryFn: async ({ signal }) => {
      try {
        return await get(api.GET('/api/v1/rules/dryrun', { params: { query: { path } }, signal }))
      } catch (error) {
        if (error instanceof Refusal && error.status === 404) return null
        throw error
      }
    },
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? 700 : false),
  })
}

export function useShadow(rule: string) {
  return useQuery({
    queryKey: ['rules', 'shadow', rule],
    queryFn: ({ signal }) => get(api.GET('/api/v1/rules/shadow', { params: { query: { rule } }, signal })),
    refetchInterval: WAITING_MS,
  })
}

/** What `ask` says of `of`, `wait` ms after it stopped changing; the one before stays until then. */
export function useSettled<T, A>(of: T | null, wait: number, ask: (of: T, signal: AbortSignal) => Promise<A>): { of: T | null; answer: A | null; busy: boolean; trouble: string } {
  const { language } = useLanguage() // of what the service says
  const [known, setKnown] = useState<{ of: T | null; answer: A | null; trouble: string }>({ of: null, answer: null, trouble: '' })
  useEffect(() => {
    if (of === null) return undefined
    const gone = new AbortController()
    const timer = setTimeout(() => {
      ask(of, gone.signal).then(
        (answer) => gone.signal.aborted || setKnown({ of, answer, trouble: '' }),
        (error: unknown) => gone.signal.aborted || setKnown((before) => ({ ...before, of, trouble: told(error) })),
      )
    }, wait)
    return () => {
      clearTimeout(timer)
      gone.abort()
    }
    // oxlint-disable-next-line react/exhaustive-deps -- what is asked is in `of`
  }, [of, wait, language])
  return { ...known, busy: of !== null && known.of !== of }
}

/** Texts that are not saved, by path, with the version that they began from: they outlive a look at another page. */
export interface Draft {
  text: string
  base: number
}

const drafts = new Map<string, Draft>()
const watchers = new Set<() => void>()
let shown: ReadonlyMap<string, Draft> = new Map()

export function keepDraft(path: string, draft: Draft | null): void {
  if (draft) drafts.set(path, draft)
  else drafts.delete(path)
  shown = new Map(drafts)
  for (const each of watchers) each()
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

export const useDrafts = () => useSyncExternalStore(watch, () => shown)

globalThis.addEventListener?.('beforeunload', (event) => {
  if (drafts.size) event.preventDefault()
})
