import { useTexts } from '../../i18n'
import type { Linted } from './data'
import { TEXT } from './text'

/** What is wrong, each with its place; else the cases that do not hold. */
export function FaultsPanel({ path, linted, busy, trouble, onGo }: {
  path: string
  linted: Linted | null
  busy: boolean
  trouble: string
  onGo: (line: number, column: number) => void
}) {
  const t = useTexts(TEXT)
  if (trouble) return <p role="alert">{trouble}</p>
  if (!linted) return <p className="meta" role="status">{t('checking')}</p>
  if (linted.faults.length)
    return (
      <ol aria-busy={busy}>
        {linted.faults.map((fault) => (
          <li key={`${fault.path}:${fault.line}:${fault.column}:${fault.message}`}>
            <button type="button" className="plain fault" onClick={() => fault.path === path && onGo(fault.line, fault.column)}>
              <span className="meta">{t('fault', { line: fault.line, column: fault.column })}{fault.path !== path && t('inFile', { path: fault.path })}</span>
              <span>{fault.message}{fault.hint && <span className="meta"> — {fault.hint}</span>}</span>
            </button>
          </li>
        ))}
      </ol>
    )
  const failed = linted.failed ?? []
  if (!failed.length) return <p className="meta">{t('noFaults')} · {linted.cases ? t('casesOk', { ok: linted.cases, n: linted.cases }) : t('casesNone')}</p>
  const words = (some: readonly string[]) => some.map((one) => (one === 'finding' ? t('found') : one)).join('、') || t('none')
  return (
    <ol aria-busy={busy}>
      {failed.map((each) => (
        <li key={`${each.path}:${each.line}:${each.said}`}>
          <button type="button" className="plain fault" onClick={() => each.path === path && onGo(each.line, 1)}>
            <span className="meta">{t('fault', { line: each.line, column: 1 })}{each.path !== path && t('inFile', { path: each.path })}</span>
            <span><span lang="zh-CN">{each.said}</span> <span className="meta">{t('wanted', { a: words(each.wanted), b: words(each.found) })}</span></span>
          </button>
        </li>
      ))}
    </ol>
  )
}
