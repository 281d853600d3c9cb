import type { Alert, Card, ContextLine } from '../../api/client'
import { useTexts, useWord } from '../../i18n'
import { LEVEL_OF, roles } from '../../i18n/words'
import { Marked, type Marking } from '../../parts/marked'
import type { Heard } from './heard'
import { TEXT } from './text'

/** Spans in the alert's own text: those of its last event. */
export function markingsOf(alerts: readonly Alert[]): Marking[] {
  const text = alerts[0]?.text
  return alerts.filter((alert) => alert.text === text).flatMap((alert) => {
    const own = alert.event_ids.at(-1)
    return alert.spans.filter((each) => each.event === null || each.event === own)
      .map((each) => ({ span: { start: each.start, end: each.end, term: each.term ?? '' }, level: LEVEL_OF[alert.severity] }))
  })
}

/** What was said, in large type, between what came before and after. */
export function Sentence({ card, context, heard }: { card: Card; context: readonly ContextLine[]; heard: Heard }) {
  const t = useTexts(TEXT)
  const role = useWord(roles)
  const first = card.alerts[0]
  if (!first) return null
  const own = new Set(first.event_ids)
  const spoken = context.filter((line) => line.lane === first.lane || own.has(line.event_id))
  const at = spoken.findLastIndex((line) => own.has(line.event_id))
  const before = at > 0 ? spoken[at - 1] : undefined
  const after = at >= 0 ? spoken[at + 1] : undefined
  const near = (line: ContextLine | undefined) => line && !own.has(line.event_id) && (
    <p className="context">
      <span className="meta">{seconds(line.at - first.at)} {role((line.role || 'unknown'))}</span> <span lang="zh-CN">{line.text}</span>
    </p>
  )
  return (
    <div className="sentence">
      {near(before)}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a long one is scrolled by keys */}
      <blockquote className="said" lang="zh-CN" tabIndex={0}>
        <Marked text={first.text || first.title} markings={first.text ? markingsOf(card.alerts) : []} />
      </blockquote>
      {(heard.interim || heard.corrected || heard.became || heard.confidence !== null) && (
        <p className="small heard">
          {heard.interim && <span className="chip">{t('interim')}</span>}
          {heard.corrected && <span className="chip">{t('revised')}</span>}
          {heard.was && <span>{t('was', { was: heard.was })}</span>}
          {heard.became && <span>{t('became', { text: heard.became })}</span>}
          {heard.confidence !== null && <span>{t('asr', { p: heard.confidence.toFixed(2) })}</span>}
        </p>
      )}
      {near(after)}
    </div>
  )
}

const seconds = (ms: number) => `${ms < 0 ? '−' : '+'}${Math.abs(Math.round(ms / 1000))} s`
