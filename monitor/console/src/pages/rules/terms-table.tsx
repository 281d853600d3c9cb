import { useVirtualizer } from '@tanstack/react-virtual'
import { useMemo, useRef, useState } from 'react'

import { useTexts } from '../../i18n'
import { termsOf, withoutLine, withTerms } from './terms'
import { TEXT } from './text'

/** A list of terms as rows. What a spreadsheet gives is pasted as it is; what stands twice comes in once. */
export function Terms({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const t = useTexts(TEXT)
  const [asked, setAsked] = useState('')
  const [fresh, setFresh] = useState('')
  const [said, setSaid] = useState('')
  const box = useRef<HTMLDivElement>(null)
  const all = useMemo(() => termsOf(text), [text])
  const rows = useMemo(() => all.filter(({ term, remark }) => `${term} ${remark}`.includes(asked.trim())), [all, asked])
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => 30, overscan: 10, useFlushSync: false })
  const add = () => {
    const { text: next, added, known } = withTerms(text, fresh)
    if (added) onChange(next)
    setSaid(t('added', { n: added, m: known }))
    setFresh('')
  }
  return (
    <div className="terms">
      <form className="terms-add" onSubmit={(event) => {
        event.preventDefault()
        add()
      }}>
        <textarea lang="zh-CN" rows={2} value={fresh} placeholder={t('addTerms')} aria-label={t('addTerms')} onChange={(event) => setFresh(event.target.value)} />
        <button type="submit" className="act" disabled={!fresh.trim()}>{t('add')}</button>
        <span role="status" className="meta">{said || t('termsCount', { n: all.length })}</span>
        <input value={asked} placeholder={t('findTerm')} aria-label={t('findTerm')} onChange={(event) => setAsked(event.target.value)} />
      </form>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it is scrolled by keys */}
      <div ref={box} className="terms-rows" tabIndex={0} role="region" aria-label={t('terms')}>
        <ul style={{ height: list.getTotalSize() }}>
          {list.getVirtualItems().map((item) => {
            const row = rows[item.index]
            return row && (
              <li key={item.key} style={{ top: item.start }}>
                <span lang="zh-CN">{row.term}</span><span className="meta" lang="zh-CN">{row.remark}</span>
                <button type="button" className="plain" aria-label={`${t('remove')} ${row.term}`} onClick={() => onChange(withoutLine(text, row.line))}>{t('remove')}</button>
              </li>
            )
          })}
        </ul>
      </div>
    </div>
  )
}
