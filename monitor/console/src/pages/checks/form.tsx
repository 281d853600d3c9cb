import { Button, Input } from 'antd'
import { useState, type DragEvent, type FormEvent } from 'react'
import { useNavigate } from 'react-router'

import { told } from '../../api/client'
import { useSession } from '../../api/session'
import { useTexts } from '../../i18n'
import { useRooms } from '../../api/records'
import { useChecking } from './data'
import { TEXT } from './text'

const MOST_BYTES = 1_000_000

/** Paste, choose or drop a script. A text file is shown before it is checked; a Word document is read by the service. */
export function NewCheck() {
  const t = useTexts(TEXT)
  const { may } = useSession()
  const rooms = useRooms()
  const check = useChecking()
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [room, setRoom] = useState('')
  const [text, setText] = useState('')
  const [file, setFile] = useState<File | null>(null)
  const [trouble, setTrouble] = useState('')
  const [busy, setBusy] = useState(false)

  const take = async (given: File | undefined) => {
    if (!given) return
    setTrouble('')
    const kind = /\.(txt|md|docx)$/i.exec(given.name)?.[1]?.toLowerCase()
    if (!kind) return setTrouble(t('wrongFile'))
    if (given.size > MOST_BYTES) return setTrouble(t('tooLarge'))
    if (!name) setName(given.name.replace(/\.\w+$/, ''))
    setFile(kind === 'docx' ? given : null)
    if (kind !== 'docx') setText(await textOf(given))
  }
  const send = async () => {
    setBusy(true)
    setTrouble('')
    try {
      const made = await check({ name: name.trim(), room: room.trim(), script: file ?? text })
      void navigate(`/checks/${made.summary.id}`)
    } catch (error) {
      setTrouble(t('trouble', { why: told(error) }))
      setBusy(false)
    }
  }
  const tooLong = !file && new Blob([text]).size > MOST_BYTES
  if (!may('plan')) return <p className="empty">{t('mayNot')}</p>
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- files are also chosen by a button
    <form className="check-form" onDragOver={(event) => event.preventDefault()}
      onDrop={(event: DragEvent) => {
        event.preventDefault()
        void take(event.dataTransfer.files[0])
      }}
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        void send()
      }}>
      <div className="check-fields">
        <label><span className="small">{t('name')} <span className="meta">{t('nameHint')}</span></span>
          <Input value={name} maxLength={256} onChange={(event) => setName(event.target.value)} /></label>
        <label><span className="small">{t('room')} <span className="meta">{t('roomHint')}</span></span>
          <Input value={room} maxLength={128} list="check-rooms" onChange={(event) => setRoom(event.target.value)} /></label>
        <datalist id="check-rooms">{[...rooms].map(([id, each]) => <option key={id} value={id}>{each.title ?? id}</option>)}</datalist>
      </div>
      {file
        ? <p className="check-file">{t('fileChosen', { name: file.name })} <button type="button" className="plain" onClick={() => setFile(null)}>{t('dropFile')}</button></p>
        : <textarea className="check-text" lang="zh-CN" value={text} aria-label={t('script')} placeholder={t('paste')} onChange={(event) => setText(event.target.value)} />}
      <div className="check-send">
        <Button htmlType="submit" size="large" disabled={busy || !name.trim() || tooLong || !(file ?? text.trim())}>{busy ? t('checking') : t('check')}</Button>
        <label className="plain file-label">{t('file')}<input type="file" className="hidden" accept=".txt,.md,.docx" onChange={(event) => {
          void take(event.target.files?.[0])
          event.target.value = ''
        }} /></label>
        {(trouble || tooLong) && <span role="alert">{trouble || t('tooLarge')}</span>}
      </div>
    </form>
  )
}

/** As UTF-8; else as Chinese programs of old wrote it. */
async function textOf(file: File): Promise<string> {
  const bytes = await file.arrayBuffer()
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('gb18030').decode(bytes)
  }
}
