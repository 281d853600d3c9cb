import { Button, Input, Select } from 'antd'
import { useEffect, useRef, useState } from 'react'

import { api, get, told, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n'
import { CATEGORIES, categories, SEVERITIES, severities, type SeverityName } from '../../i18n/words'
import { useKeys } from '../../keys'
import type { Picked } from './lines'
import { TEXT } from './text'

/** What no rule found: words that were picked become an alert. Under the lines, which stay in sight. */
export function MissBar({ room, picked, onClose, onDone }: { room: string; picked: Picked; onClose: () => void; onDone: (told: string) => void }) {
  const t = useTexts(TEXT)
  const category = useTexts(categories)
  const severity = useTexts(severities)
  const [wanted, setWanted] = useState<string | null>(null)
  const [grave, setGrave] = useState<SeverityName>('medium')
  const [note, setNote] = useState('')
  const [trouble, setTrouble] = useState('')
  const [sending, setSending] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => box.current?.querySelector('input')?.focus(), [])
  useKeys({ back: onClose })
  const send = async () => {
    if (!wanted) return setTrouble(t('missNeeds'))
    setSending(true)
    const body: Schemas['Miss'] = {
      room, event: picked.line.event, source: picked.line.source, at: picked.line.at, category: wanted, start: picked.start, end: picked.end,
      words: '', severity: grave, clause: '', note: note.trim(),
    }
    try {
      const answer = await get(api.POST('/api/v1/misses', { body }))
      onDone(t(answer.new ? 'missDone' : 'missKnown'))
    } catch (error) {
      setTrouble(t('missFailed', { why: told(error) }))
      setSending(false)
    }
  }
  return (
    <div ref={box} className="miss" role="group" aria-label={t('miss')}>
      <blockquote lang="zh-CN" className="one-line">“{picked.words}”</blockquote>
      <Select showSearch={{ optionFilterProp: 'label' }} placeholder={t('pickCategory')} aria-label={t('category')} value={wanted} onChange={setWanted}
        options={CATEGORIES.map((value) => ({ value, label: category(value) }))} popupMatchSelectWidth={false} className="miss-category" />
      <Select aria-label={t('severity')} value={grave} onChange={setGrave} options={SEVERITIES.map((value) => ({ value, label: severity(value) }))} />
      <Input aria-label={t('note')} placeholder={t('note')} maxLength={2000} value={note} onChange={(event) => setNote(event.target.value)}
        onPressEnter={(event) => void (event.nativeEvent.isComposing || event.keyCode === 229 || send())} />
      <Button disabled={sending} onClick={() => void send()}>{t('send')}</Button>
      <Button onClick={onClose}><kbd>Esc</kbd> {t('cancel')}</Button>
      {trouble && <span className="small" role="alert">{trouble}</span>}
    </div>
  )
}
