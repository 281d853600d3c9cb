import type { Alert, Card } from '../../api/client'
import { texts, useTexts, useWord } from '../../i18n'
import { outcomes, states } from '../../i18n/words'
import { useKeys } from '../../keys'

const TEXT = texts(
  { decisions: '研判', reading: '只看：这条不在队列里（{what}）', back: '回到队列', peers: '本场前一条、后一条' },
  { decisions: 'Decisions', reading: 'Reading only: it is not in the queue ({what})', back: 'Back to the queue', peers: 'earlier, later in this broadcast' },
)

const before = (a: Alert, b: Alert) => a.at - b.at || (a.id < b.id ? -1 : 1)

/** The next alert of a broadcast before (−1) or after (1) one of it, but for those of the same moment. */
export function neighbour(all: readonly Alert[], from: Alert, by: -1 | 1): Alert | undefined {
  const there = all.filter((alert) => alert.id !== from.id && alert.moment !== from.moment && before(alert, from) * by > 0)
  return there.sort((a, b) => before(a, b) * by)[0]
}

/** An alert that is on no card of the board, as one. */
export const cardOf = (alert: Alert): Card => ({
  post: alert.post ?? '', moment: alert.moment ?? alert.id, room: alert.room, priority: alert.priority ?? 0, at: alert.at,
  alerts: [alert], unrouted: false, storm: null,
})

/** In place of the decision bar while such an alert is read. */
export function Beside({ alert, onBack }: { alert: Alert; onBack: () => void }) {
  const t = useTexts(TEXT)
  const outcome = useWord(outcomes)
  const state = useWord(states)
  useKeys({ back: onBack }, ['any'])
  return (
    <footer className="decisions" aria-label={t('decisions')}>
      <div className="verdicts">
        <button type="button" className="plain" onClick={onBack}><kbd>Esc</kbd> {t('back')}</button>
        <span>{t('reading', { what: alert.outcome ? outcome(alert.outcome) : state(alert.state) })}</span>
        <span className="small"><kbd>[</kbd> <kbd>]</kbd> {t('peers')}</span>
      </div>
    </footer>
  )
}
