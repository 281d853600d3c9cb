import { useEffect, useRef, useState } from 'react'

import { texts, useLanguage, useTexts } from '../../i18n'
import { CATEGORIES, categories as words, type Category } from '../../i18n/words'
import { useKeys } from '../../keys'
import { CARDS } from './categorycards'

const TEXT = texts(
  {
    title: '类别卡片', breaks: '违反', not: '听着像，其实不是', disguised: '常见的伪装', say: '可以这样说', exempt: '豁免', close: '关闭',
  },
  {
    title: 'Card of the category', breaks: 'Breaks it', not: 'Sounds so, but is not', disguised: 'Usual disguises', say: 'Say instead', exempt: 'Exempt', close: 'Close',
  },
)

const PARTS = ['breaks', 'not', 'disguised', 'say', 'exempt'] as const

const known = (name: string): name is Category => CATEGORIES.includes(name as Category)

/** Lies over the timeline while it is read; what is below goes on. */
export default function CategoryCard({ of, onClose }: { of: readonly string[]; onClose: () => void }) {
  const t = useTexts(TEXT)
  const word = useTexts(words)
  const { language } = useLanguage()
  const names = of.filter(known)
  const [at, setAt] = useState(0)
  const box = useRef<HTMLElement>(null)
  useEffect(() => void box.current?.scrollTo(0, 0), [at]) // a promise in newer browsers
  const shown = names[Math.min(at, names.length - 1)]
  const step = (by: number) => () => (names.length > 1 ? setAt((at + by + names.length) % names.length) : false)
  useKeys({
    card: onClose, back: onClose, rewind: step(-1), forward: step(1),
    tick: (key) => (names.length > 1 && Number(key) <= names.length ? setAt(Number(key) - 1) : false),
  }, ['queue', 'any'])
  if (!shown) return null
  const card = CARDS[language][shown]
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a long one is scrolled by keys
    <aside ref={box} className="category-card" aria-label={t('title')} tabIndex={0}>
      <header>
        <strong className="title">{word(shown)}</strong>
        <button type="button" className="plain" onClick={onClose}><kbd>Esc</kbd> {t('close')}</button>
      </header>
      {names.length > 1 && (
        <p className="others">{names.map((name, i) => (
          <button key={name} type="button" className={`plain small${name === shown ? ' chosen' : ''}`} aria-pressed={name === shown} onClick={() => setAt(i)}>
            <kbd>{i + 1}</kbd> {word(name)}
          </button>
        ))}</p>
      )}
      <dl>{PARTS.map((part) => <div key={part}><dt className="meta">{t(part)}</dt><dd>{card[part]}</dd></div>)}</dl>
    </aside>
  )
}
