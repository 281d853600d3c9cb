import { memo, useEffect, useRef } from 'react'

import { useTexts, useWord } from '../../i18n'
import { kinds, roles } from '../../i18n/words'
import { timeOfDay } from '../../parts/clock'
import { Marked } from '../../parts/marked'
import { levelOf, markingsOf, type Line } from './lines'
import { TEXT } from './text'

/** Everything that was said and written in the part that is looked at. Rows out of sight are not laid out. */
export function Lines({ lines, current, heard, follow, onPick }: { lines: readonly Line[]; current: string | null; heard: string | null; follow: boolean; onPick: (line: Line) => void }) {
  const t = useTexts(TEXT)
  const box = useRef<HTMLOListElement>(null)
  const there = lines.some((line) => line.key === current)
  useEffect(() => {
    box.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'center' })
  }, [current, there])
  const last = lines.at(-1)?.key
  const atEnd = useRef(true)
  useEffect(() => {
    if (follow && atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight
  }, [follow, last])
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it is scrolled by keys
    <ol ref={box} className="lines" tabIndex={0} aria-label={t('lines')}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => (atEnd.current = scrollHeight - scrollTop - clientHeight < 80)}>
      {lines.map((line) => <Row key={line.key} line={line} current={line.key === current} heard={line.key === heard} onPick={onPick} />)}
    </ol>
  )
}

const Row = memo(function Row({ line, current, heard, onPick }: { line: Line; current: boolean; heard: boolean; onPick: (line: Line) => void }) {
  const role = useWord(roles)
  const kind = useWord(kinds)
  const level = levelOf(line.points)
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions -- keys move among the lines
    <li className={`line${level ? ` own sev-line-${level}` : ''}${line.kind === 'comment' ? '' : ' spoken'}${current ? ' current' : ''}${heard ? ' heard' : ''}`} {...(current ? { 'aria-current': true as const } : {})}
      onClick={() => globalThis.getSelection()?.isCollapsed !== false && onPick(line)}>
      <span className="meta">{heard ? '▶ ' : ''}{timeOfDay(line.at)}</span>
      <span className="meta role">{line.kind === 'transcript' || line.kind === 'comment' ? role(line.role || 'unknown') : kind(line.kind)}</span>
      <span className="line-text" lang="zh-CN" data-line={line.key}><Marked text={line.text} markings={markingsOf(line)} /></span>
    </li>
  )
}, (a, b) => a.current === b.current && a.heard === b.heard && a.onPick === b.onPick && a.line.text === b.line.text && a.line.key === b.line.key && a.line.points.length === b.line.points.length)
