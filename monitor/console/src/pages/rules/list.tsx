import { useVirtualizer } from '@tanstack/react-virtual'
import { Input } from 'antd'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useNavigate } from 'react-router'

import { useTexts } from '../../i18n'
import { LEVEL_OF, severities, type SeverityName } from '../../i18n/words'
import { useDrafts, useRules, type FileRow, type RuleRow } from './data'
import { GOOD_PATH, rowsOf, shareOf, type Order, type Row } from './order'
import { TEXT } from './text'

const ROW = 56
const ORDERS: [Order, 'byPack' | 'byAlerts' | 'byShare' | 'byChange'][] = [['pack', 'byPack'], ['alerts', 'byAlerts'], ['share', 'byShare'], ['change', 'byChange']]

export const percent = (share: number) => `${Math.round(share * 100)}%`

/** All rules, or the files that are none, with how they did. */
export function RuleList({ chosen }: { chosen: string | undefined }) {
  const t = useTexts(TEXT)
  const asked = useRules()
  const [what, setWhat] = useState<'rules' | 'files'>(chosen && /\.(yml|txt)$/.test(chosen) ? 'files' : 'rules')
  const [words, setWords] = useState('')
  const [order, setOrder] = useState<Order>('pack')
  const rows = useMemo(() => rowsOf(asked.data?.rules ?? [], asked.data?.files ?? [], what, words, order), [asked.data, what, words, order])
  return (
    <nav className="rule-list" aria-label={t('rules')}>
      <div className="rule-list-head">
        <div className="switch">
          {(['rules', 'files'] as const).map((each) => <button key={each} type="button" className="plain" aria-pressed={what === each} onClick={() => setWhat(each)}>{t(each)}</button>)}
          <span className="meta">{t('count', { n: rows.length })}</span>
          <Fresh />
        </div>
        <Input value={words} placeholder={t('find')} aria-label={t('find')} allowClear onChange={(event) => setWords(event.target.value)} />
        {what === 'rules' && (
          <div className="switch small">
            {ORDERS.map(([each, word]) => <button key={each} type="button" className="plain" aria-pressed={order === each} onClick={() => setOrder(each)}>{t(word)}</button>)}
          </div>
        )}
      </div>
      {asked.error && <p className="empty" role="alert">{asked.error.message} <button type="button" className="plain" onClick={() => void asked.refetch()}>{t('again')}</button></p>}
      {asked.isPending && <p className="empty" role="status">{t('loading')}</p>}
      {asked.data && !rows.length && <p className="empty">{t('noMatch')} <button type="button" className="plain" onClick={() => setWords('')}>{t('clear')}</button></p>}
      {rows.length > 0 && <Rows rows={rows} chosen={chosen} order={order} />}
    </nav>
  )
}

function Rows({ rows, chosen, order }: { rows: readonly Row[]; chosen: string | undefined; order: Order }) {
  const t = useTexts(TEXT)
  const box = useRef<HTMLDivElement>(null)
  const drafts = useDrafts()
  const navigate = useNavigate()
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 8, getItemKey: (i) => rows[i]?.key ?? i, useFlushSync: false })
  const at = rows.findIndex((row) => row.key === chosen || row.path === chosen)
  useEffect(() => {
    if (at >= 0) list.scrollToIndex(at, { align: 'auto' })
    // oxlint-disable-next-line react/exhaustive-deps -- it follows what is chosen, and leaves the reader alone
  }, [chosen, order])
  const go = (to: number) => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, to))]
    if (row) void navigate(`/rules/${encodeURIComponent(row.key)}`)
  }
  return (
    <div ref={box} className="rule-rows" role="listbox" tabIndex={0} aria-label={t('rules')} aria-activedescendant={at >= 0 ? `row-${rows[at]!.key}` : undefined}
      onKeyDown={(event) => {
        const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key]
        if (step) go(at + step)
        else if (event.key === 'Home') go(0)
        else if (event.key === 'End') go(rows.length - 1)
        else return
        event.preventDefault()
      }}>
      <div style={{ height: list.getTotalSize() }} className="rule-rows-inner" role="presentation">
        {list.getVirtualItems().map((item) => {
          const row = rows[item.index]
          return row && (
            // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the list has the keys
            <div key={item.key} id={`row-${row.key}`} role="option" aria-selected={item.index === at} aria-setsize={rows.length} aria-posinset={item.index + 1}
              className={`rule-row${item.index === at ? ' chosen' : ''}`} style={{ top: item.start }} onClick={() => go(item.index)}>
              <div className="rule-line">
                {row.rule ? <Level rule={row.rule} /> : <span className="chip">{row.path.endsWith('.txt') ? 'txt' : 'yml'}</span>}
                <strong className="one-line">{row.title}</strong>
                <Badges file={row.file} rule={row.rule} unsaved={drafts.has(row.path)} />
              </div>
              <div className="rule-line meta"><span className="one-line">{row.key}</span>{row.rule && <HowItDid rule={row.rule} />}</div>
            </div>
          )
        })}
      </div>
    </div>
  )
}

function Level({ rule }: { rule: RuleRow }) {
  const severity = useTexts(severities)
  const level = LEVEL_OF[rule.severity as SeverityName]
  return <span className={`chip sev sev-${level}`} title={severity(rule.severity as SeverityName)}>{level}</span>
}

function HowItDid({ rule }: { rule: RuleRow }) {
  const t = useTexts(TEXT)
  const share = shareOf(rule)
  if (rule.status === 'shadow') return <span className="rule-figures">{t('shadowFigure', { n: rule.figures.shadow ?? 0 })}</span>
  if (!rule.figures.alerts) return <span>–</span>
  return <span className="rule-figures">{t('alerts')} {rule.figures.alerts} · {share === null ? t('noDecision') : `${t('share')} ${percent(share)}`}</span>
}

function Badges({ file, rule, unsaved }: { file: FileRow; rule: RuleRow | undefined; unsaved: boolean }) {
  const t = useTexts(TEXT)
  const said = [
    unsaved && t('unsaved'), !file.loaded && t('notLoaded'), file.loaded && file.latest > file.version && t('draft'),
    rule?.kind === 'correlation' && t('correlation'), rule && rule.status !== 'active' && t(rule.status === 'draft' ? 'statusDraft' : (rule.status as 'shadow' | 'deprecated')),
  ].filter(Boolean)
  return <span className="rule-badges">{said.map((each) => <span key={String(each)} className={`chip${each === t('unsaved') ? ' inverse' : ''}`}>{each}</span>)}</span>
}

/** A new file: its path is all that is asked for. */
function Fresh() {
  const t = useTexts(TEXT)
  const navigate = useNavigate()
  const [open, setOpen] = useState(false)
  const [path, setPath] = useState('')
  if (!open) return <button type="button" className="plain fresh" onClick={() => setOpen(true)}>＋ {t('fresh')}</button>
  const good = GOOD_PATH.test(path)
  return (
    <form className="fresh-file" onSubmit={(event) => {
      event.preventDefault()
      if (!good) return
      setOpen(false)
      void navigate(`/rules/${encodeURIComponent(path)}`)
    }}>
      <label className="small">{t('newPath')}<Input autoFocus value={path} onChange={(event) => setPath(event.target.value.trim())} /></label>
      <span className="meta">{path && !good ? t('badPath') : t('newHint')}</span>
      <span><button type="submit" className="plain" disabled={!good}>{t('make')}</button> <button type="button" className="plain" onClick={() => setOpen(false)}>{t('cancel')}</button></span>
    </form>
  )
}
