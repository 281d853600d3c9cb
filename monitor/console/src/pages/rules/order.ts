/** The list at the left: which rules and files, in which order. Pure. */
import { serviceNow } from '../../api/client'
import { dayOf } from '../../parts/clock'
import type { FileRow, RuleRow } from './data'

export type Order = 'pack' | 'alerts' | 'share' | 'change'

export interface Row {
  /** In the address. */
  key: string
  path: string
  title: string
  pack: string
  rule?: RuleRow
  file: FileRow
}

export const shareOf = (rule: RuleRow): number | null => (rule.figures.decided ? (rule.figures.violations ?? 0) / rule.figures.decided : null)

/** Rules, or the files that are none: lists, registers, what was saved and not published. */
export function rowsOf(rules: readonly RuleRow[], files: readonly FileRow[], what: 'rules' | 'files', asked: string, order: Order): Row[] {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const ruled = new Set(rules.map((rule) => rule.path))
  const all: Row[] = what === 'rules'
    ? rules.map((rule) => ({ key: rule.id, path: rule.path, title: rule.title, pack: rule.pack, rule, file: byPath.get(rule.path)! }))
    : files.filter(({ path }) => !ruled.has(path)).map((file) => ({ key: file.path, path: file.path, title: file.title || (nameOf(file.path) === 'pack.yml' ? packOf(file.path) : nameOf(file.path)), pack: packOf(file.path), file }))
  const words = asked.trim().toLowerCase().split(/\s+/).filter(Boolean)
  const found = all.filter((row) => words.every((word) =>
    [row.key, row.title, row.path, ...(row.rule?.clauses ?? []), ...(row.rule?.category ?? [])].some((each) => each.toLowerCase().includes(word))))
  const by: Record<Order, (row: Row) => number> = {
    pack: () => 0,
    alerts: ({ rule }) => -(rule?.figures.alerts ?? 0),
    share: ({ rule }) => (rule && shareOf(rule) !== null ? shareOf(rule)! : 2),
    change: ({ file }) => -(file.at ?? 0),
  }
  return found.toSorted((a, b) => by[order](a) - by[order](b) || a.pack.localeCompare(b.pack) || a.path.localeCompare(b.path) || a.key.localeCompare(b.key))
}

export const nameOf = (path: string) => path.split('/').at(-1) ?? path
export const packOf = (path: string) => (path.includes('/') ? path.split('/')[0]! : '')

/** The file that an address means: a rule's id, or a path. */
export function pathOf(id: string, rules: readonly RuleRow[]): string | null {
  return /\.(yml|txt)$/.test(id) ? id : (rules.find((rule) => rule.id === id)?.path ?? null)
}

export const GOOD_PATH = /^(?:[a-z0-9][a-z0-9_-]*\/){0,2}[a-z0-9][a-z0-9_.-]*\.(?:yml|txt)$/

/** What a new file begins with. */
export function blank(path: string): string {
  if (path.endsWith('.txt')) return ''
  const [pack, name] = [packOf(path).replaceAll('-', '_') || 'shop', nameOf(path).replace(/\.yml$/, '')]
  if (!path.includes('/'))
    return path.startsWith('clauses')
      ? `- id: OWN-1\n  document: ''  # 平台通知或本机构守则的名称，可写链接\n  issuer: ''\n  article: ''\n  requirement: ''\n  effective_from: ${dayOf(serviceNow())}\n  confidence: medium\n  categories: []\n`
      : ''
  return `id: ${pack}.${name}\ntitle: \ntier: standard\ncategory: []\nseverity: medium\nstatus: active\nclauses: []\ndetection:\n  words: {terms: []}\n  condition: words\nadvice: {say: ''}\ncases:\n  - {text: '', expect: [words]}\n  - {text: '', expect: none}\n`
}
