import { Button } from 'antd'
import { useState } from 'react'

import { useThemeChoice } from '../../design/choice'
import { useTexts } from '../../i18n'
import { alarm, useWish, type Wish } from '../../live/alarm'
import { TEXT } from './text'

const THEMES = ['system', 'light', 'dark'] as const

/** What every shift sets for its own desk: both alarms are off until somebody wants them. */
export function Preferences() {
  const t = useTexts(TEXT)
  const theme = useThemeChoice()
  const wishes = { sound: useWish('sound'), notify: useWish('notify') }
  const [refused, setRefused] = useState(false)
  const choose = async (wish: Wish, on: boolean) => {
    setRefused(!(await alarm.choose(wish, on)))
  }
  return (
    <div className="preferences">
      {(['sound', 'notify'] as const).map((wish) => (
        <Button key={wish} aria-pressed={wishes[wish]} onClick={() => void choose(wish, !wishes[wish])}>
          {t(wish)} {t(wishes[wish] ? 'on' : 'off')}
        </Button>
      ))}
      {wishes.sound && <Button onClick={() => void alarm.choose('sound', true)}>{t('test')}</Button>}
      <span className="themes" role="group" aria-label={t('theme')}>
        {THEMES.map((each) => (
          <Button key={each} className={theme.wish === each ? 'picked' : ''} aria-pressed={theme.wish === each} onClick={() => theme.choose(each)}>{t(each)}</Button>
        ))}
      </span>
      {refused && <span className="small" role="alert">{t('refused')}</span>}
    </div>
  )
}
