/** Two languages. Each page keeps its own words (`texts`), so that a word and its place are found together. */
import { createContext, use, useCallback, useMemo, useState, type ReactNode } from 'react'

export type Language = 'zh' | 'en'
export interface Texts<K extends string> {
  zh: Record<K, string>
  en: Record<K, string>
}
export type Say<K extends string> = (key: K, values?: Record<string, string | number>) => string

const KEPT = 'redpost.language'

interface Chosen {
  language: Language
  choose: (language: Language) => void
}

const Choice = createContext<Chosen>({ language: 'zh', choose: () => {} })

/** English must have every key that Chinese has, and no other: the compiler sees to it. */
export function texts<K extends string>(zh: Record<K, string>, en: Record<NoInfer<K>, string>): Texts<K> {
  return { zh, en }
}

const PLURAL = new Intl.PluralRules('en')

/** `{name}` in a text is filled in by `values`; `{name:alert|alerts}` is the form of a noun or verb beside that count, in English. */
export function filled(text: string, values: Record<string, string | number> = {}): string {
  return text.replaceAll(/\{(\w+)(?::([^{|}]*)\|([^{|}]*))?\}/g, (whole, name: string, one?: string, other?: string) => {
    if (!(name in values)) return whole
    return one === undefined ? String(values[name]) : PLURAL.select(Number(values[name])) === 'one' ? one : other!
  })
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(() => (localStorage.getItem(KEPT) === 'en' ? 'en' : 'zh'))
  const choose = useCallback((next: Language) => {
    localStorage.setItem(KEPT, next)
    setLanguage(next)
  }, [])
  const chosen = useMemo(() => ({ language, choose }), [language, choose])
  return <Choice value={chosen}>{children}</Choice>
}

export const useLanguage = () => use(Choice)

/** The word for a value that may have none: then the value itself. */
export function useWord<K extends string>(of: Texts<K>): (value: string) => string {
  const { language } = useLanguage()
  return useCallback((value) => (of[language] as Record<string, string>)[value] ?? value, [of, language])
}

export function useTexts<K extends string>(of: Texts<K>): Say<K> {
  const { language } = useLanguage()
  return useCallback((key, values) => filled(of[language][key], values), [of, language])
}
