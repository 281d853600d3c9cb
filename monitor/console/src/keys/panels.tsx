/** Help and palette: both read the registry. The focus stays within and goes back to where it was. */
import { Input } from 'antd'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { useNavigate } from 'react-router'

import { texts, useTexts } from '../i18n'
import { usePlaces } from '../pages/places'
import { grouped, groups, KEYS, labels } from './registry'

const TEXT = texts(
  { help: '按键', close: '关闭', find: '去哪里，做什么' },
  { help: 'Keys', close: 'Close', find: 'Where to, what to do' },
)

function Panel({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const box = useRef<HTMLDialogElement>(null)
  useEffect(() => box.current?.showModal(), [])
  return (
    <dialog ref={box} className="panel" aria-label={title} onClose={onClose}>{children}</dialog>
  )
}

const SIGNS: Record<string, string> = {
  ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', Enter: '⏎', ' ': '␣',
}

/** A key as it stands on a keyboard. */
export function shown(key: string): string {
  const [, before = '', name = ''] = /^((?:Shift\+|Mod\+)?)(.+)$/s.exec(key) ?? []
  return before.replace('Shift+', '⇧').replace('Mod+', '⌃') + (SIGNS[name] ?? (name.length === 1 ? name.toUpperCase() : name))
}

export function Help({ onClose }: { onClose: () => void }) {
  const t = useTexts(TEXT)
  const label = useTexts(labels)
  const named = useTexts(groups)
  return (
    <Panel title={t('help')} onClose={onClose}>
      <header className="head-line">
        <h2 className="title">{t('help')}</h2>
        <button type="button" className="plain" onClick={onClose}><kbd>Esc</kbd> {t('close')}</button>
      </header>
      <div className="help">
        {grouped().map(([group, actions]) => (
          <section key={group}>
            <h3 className="small">{named(group)}</h3>
            <ul>
              {actions.map((action) => (
                <li key={action}>
                  <span>{KEYS[action].keys.length > 7 ? <kbd>1 … 9</kbd> : KEYS[action].keys.map((key) => <kbd key={key}>{shown(key)}</kbd>)}</span>
                  <span>{label(action)}</span>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Panel>
  )
}

export function Palette({ onClose }: { onClose: () => void }) {
  const t = useTexts(TEXT)
  const label = useTexts(labels)
  const named = useTexts(groups)
  const navigate = useNavigate()
  const [asked, setAsked] = useState('')
  const [at, setAt] = useState(0)
  const places = usePlaces().map(({ path, name }) => ({ id: path, name, of: '', keys: '', run: () => void navigate(path) }))
  const acts = grouped().flatMap(([group, actions]) => actions.filter((action) => KEYS[action].keys.length <= 3 && action !== 'palette').map((action) =>
    ({ id: action, name: label(action), of: group === 'any' ? '' : named(group), keys: shown(KEYS[action].keys[0]!), run: () => press(KEYS[action].keys[0]!) })))
  const offered = [...places, ...acts].filter(({ name, id, of }) => `${name} ${id} ${of}`.toLowerCase().includes(asked.toLowerCase()))
  const run = (n: number) => {
    const one = offered[n]
    onClose()
    if (one) setTimeout(one.run) // once the focus is back
  }
  return (
    <Panel title={t('find')} onClose={onClose}>
      <Input autoFocus value={asked} placeholder={t('find')} aria-label={t('find')}
        onChange={(event) => {
          setAsked(event.target.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing || event.keyCode === 229) return
          if (event.key === 'ArrowDown') setAt(Math.min(at + 1, offered.length - 1))
          else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0))
          else if (event.key === 'Enter') run(at)
          else return
          event.preventDefault()
        }} />
      <ul className="offers">
        {offered.slice(0, 12).map((one, n) => (
          <li key={one.id}>
            <button type="button" className={`plain${n === at ? ' chosen' : ''}`} onClick={() => run(n)}>
              <span>{one.name}</span>{one.keys && <span className="small">{one.of} <kbd>{one.keys}</kbd></span>}
            </button>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

/** What the palette offers is done by its key, so that both are one. */
function press(key: string): void {
  const shift = key.startsWith('Shift+')
  const name = key.replace(/^(Shift|Mod)\+/, '')
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key: name, shiftKey: shift, ctrlKey: key.startsWith('Mod+'), bubbles: true }))
}
