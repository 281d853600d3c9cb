import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef } from 'react'

import { useTexts } from '../../i18n'
import { LEVEL_OF, severities } from '../../i18n/words'
import { Marked, type Marking } from '../../parts/marked'
import type { Clause, Finding } from './data'
import { offersFor, type Draft, type Offer } from './draft'
import { rowOfStop, type Row, type Stop } from './stops'
import { TEXT } from './text'

export interface LinesProps {
  rows: readonly Row[]
  clauses: ReadonlyMap<string, Clause>
  stop: Stop | undefined
  draft: Draft
  editing: number | null
  may: boolean
  textOf: (line: number) => string
  onPick: (finding: Finding) => void
  onOffer: (line: number, offer: Offer) => void
  onEdit: (line: number | null) => void
  onChange: (line: number, text: string) => void
}

/** The script line by line, with what was found under its words. Twenty thousand lines scroll as ten do. */
export function Lines(props: LinesProps) {
  const { rows, stop } = props
  const t = useTexts(TEXT)
  const box = useRef<HTMLDivElement>(null)
  const list = useVirtualizer({
    count: rows.length, getScrollElement: () => box.current, estimateSize: (i) => guess(rows[i]), overscan: 8,
    getItemKey: (i) => rows[i]?.key ?? i, useFlushSync: false,
  })
  const at = rowOfStop(rows, stop)
  useEffect(() => {
    if (at >= 0) list.scrollToIndex(at, { align: 'auto' })
  }, [at, list])
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it is scrolled by keys
    <div ref={box} className="check-lines" tabIndex={0} role="region" aria-label={t('list')}>
      <ol style={{ height: list.getTotalSize() }}>
        {list.getVirtualItems().map((item) => {
          const row = rows[item.index]
          return row && (
            <li key={item.key} ref={list.measureElement} data-index={item.index} style={{ transform: `translateY(${item.start}px)` }}
              className={`script-line${item.index === at ? ' chosen' : ''}`}>
              <RowOf row={row} {...props} />
            </li>
          )
        })}
      </ol>
    </div>
  )
}

const guess = (row: Row | undefined) => (row?.kind === 'line' ? 36 + 30 * row.findings.length : 66)

function RowOf({ row, ...props }: LinesProps & { row: Row }) {
  const t = useTexts(TEXT)
  if (row.kind === 'rejected')
    return <><span className="meta">{row.line}</span><p className="small">{t('rejectedLine', { n: row.line, why: row.why })}</p></>
  if (row.kind === 'missing')
    return (
      <>
        <span className="meta">{t('missingHere')}</span>
        <div>
          <p className="line-said lacking">{t('missing')}：{row.finding.title}</p>
          <Found finding={row.finding} line={0} offers={[]} {...props} />
        </div>
      </>
    )
  return <Line {...props} {...row} />
}

function Line({ line, text, findings, ...props }: LinesProps & { line: number; text: string; findings: readonly Finding[] }) {
  const t = useTexts(TEXT)
  const { draft, editing, may, onEdit, onChange, textOf } = props
  const now = draft.get(line)
  return (
    <>
      <span className="meta">{line}</span>
      <div>
        {editing === line
          ? <Edited text={now ?? textOf(line)} onDone={(next) => {
            if (next !== null) onChange(line, next)
            onEdit(null)
          }} />
          : (
            <p className="line-said" lang="zh-CN">
              {now === undefined ? <Marked text={text} markings={markingsOf(findings)} /> : now || <span className="meta">{t('emptied')}</span>}
              {now !== undefined && <> <span className="chip inverse">{t('edited')}</span> <button type="button" className="plain small" onClick={() => onChange(line, textOf(line))}>{t('back')}</button></>}
              {may && <button type="button" className="plain meta line-edit" onClick={() => onEdit(line)}>{t('edit')}</button>}
            </p>
          )}
        {findings.map((finding) => <Found key={finding.id} finding={finding} line={line} offers={may ? offersFor(finding, now ?? textOf(line)) : []} {...props} />)}
      </div>
    </>
  )
}

function markingsOf(findings: readonly Finding[]): Marking[] {
  return findings.flatMap((finding) => [finding, ...finding.also ?? []]).flatMap((finding) => finding.spans.filter((span) => span.event == null || span.event === finding.event_id)
    .map((span) => ({ span: { start: span.start, end: span.end, term: span.term ?? '' }, level: LEVEL_OF[finding.severity] })))
}

/** What one finding says: how grave, why, by which clause, and what to say instead, one click away. */
function Found({ finding, line, offers, clauses, stop, draft, onPick, onOffer }: Pick<LinesProps, 'clauses' | 'stop' | 'draft' | 'onPick' | 'onOffer'> & {
  finding: Finding
  line: number
  offers: readonly Offer[]
}) {
  const t = useTexts(TEXT)
  const severity = useTexts(severities)
  const level = LEVEL_OF[finding.severity]
  const first = clauses.get(finding.clauses[0] ?? '')
  return (
    <div className={`found${stop?.finding === finding ? ' current' : ''}${draft.has(line) ? ' over' : ''}`}>
      <button type="button" className="plain small" aria-current={stop?.finding === finding} onClick={() => onPick(finding)}>
        <span className={`chip sev sev-${level}`}>{level} {severity(finding.severity)}</span> {finding.title}
        {finding.also?.length ? <span className="meta"> {t('alsoFound', { n: finding.also.length })}</span> : null}
        {first && <span className="meta"> 《{first.document.replaceAll(/[《》]/g, '')}》{first.article}{finding.clauses.length > 1 && ` +${finding.clauses.length - 1}`}</span>}
      </button>
      {offers.slice(0, 2).map((offer) => (
        <button key={offer.to} type="button" className="plain small offer" onClick={() => onOffer(line, offer)}>
          {offer.to ? `${t('apply')} “${offer.to}”` : t('leaveOut', { from: offer.from })}
        </button>
      ))}
    </div>
  )
}

function Edited({ text, onDone }: { text: string; onDone: (text: string | null) => void }) {
  const t = useTexts(TEXT)
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    field.current?.focus()
    field.current?.setSelectionRange(text.length, text.length)
  }, [text.length])
  return (
    <textarea ref={field} className="line-field" lang="zh-CN" rows={Math.min(8, 1 + Math.ceil(text.length / 34))} defaultValue={text} aria-label={t('edit')}
      onBlur={(event) => onDone(oneLine(event.target.value))}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing || event.keyCode === 229) return
        if (event.key === 'Escape') onDone(null)
        else if (event.key === 'Enter') onDone(oneLine(event.currentTarget.value))
        else return
        event.preventDefault()
        event.stopPropagation()
      }} />
  )
}

const oneLine = (text: string) => text.replaceAll(/\s*[\r\n]+\s*/g, ' ').trim()
