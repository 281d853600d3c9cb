/** What stands around every page: where one is, whether the line is alive, how it looks. */
import { useEffect, useState, type ReactNode } from 'react'
import { NavLink, useNavigate } from 'react-router'

import { useSession } from './api/session'
import { useThemeChoice } from './design/choice'
import './frame.css'
import { texts, useLanguage, useTexts } from './i18n'
import { Help, Palette } from './keys/panels'
import { useKeys } from './keys'
import { PLACES } from './keys/registry'
import { alarm, useWish } from './live/alarm'
import { useLine, useStream } from './live/context'
import { usePlaces } from './pages/places'
import { SignIn } from './pages/signin'
import { timeOfDay } from './parts/clock'

const TEXT = texts(
  {
    nav: '导航',
    live: '在线', connecting: '连接中', offline: '断线', signed_out: '已登出', offlineBand: '网络断了。画面停在 {t}，正在重连；研判存在本机，恢复后自动发出，先别关页面',
    signedOutBand: '登录过期。在这里登录，画面不动，未发出的接着发', light: '浅色', dark: '深色', system: '随系统', help: '按键', signOut: '登出', sound: '提示音', notify: '桌面通知', on: '开', off: '关', arrived_critical: '紧急预警', arrived_high: '高级预警',
  },
  {
    nav: 'Navigation',
    live: 'live', connecting: 'connecting', offline: 'offline', signed_out: 'signed out', offlineBand: 'Offline; view as of {t}, reconnecting. Decisions are kept here and will go out; keep this page open',
    signedOutBand: 'Signed out. Sign in here; the page stays, and what is unsent goes out', light: 'Light', dark: 'Dark', system: 'System', help: 'Keys', signOut: 'Sign out', sound: 'Sound', notify: 'Notices', on: 'on', off: 'off', arrived_critical: 'Critical alert', arrived_high: 'High alert',
  },
)

export function Frame({ children }: { children: ReactNode }) {
  const t = useTexts(TEXT)
  const { me, signedIn, signOut } = useSession()
  const stream = useStream()
  const { language, choose } = useLanguage()
  const theme = useThemeChoice()
  const line = useLine()
  const navigate = useNavigate()
  const [panel, setPanel] = useState<'help' | 'palette' | null>(null)
  const [goingSince, setGoing] = useState(0)
  useKeys({
    help: () => setPanel('help'), palette: () => setPanel('palette'),
    search: () => void navigate('/rooms', { state: { search: true } }),
    go: () => setGoing(performance.now()),
    back: () => (panel ? setPanel(null) : false),
  }, ['any'])
  useGoing(goingSince, (path) => {
    setGoing(0)
    void navigate(path)
  })
  const places = usePlaces()
  const wishes = ['system', 'light', 'dark'] as const
  return (
    <div className="frame">
      <header className="top">
        <nav aria-label={t('nav')}>
          {places.map(({ path, name }) => <NavLink key={path} to={path} end={path === '/'}>{name}</NavLink>)}
        </nav>
        <span className="top-right">
          <span className="chip" role="status">{t(line.state)}</span>
          <Wishes />
          <button type="button" className="plain" onClick={() => setPanel('help')}><kbd>H</kbd> {t('help')}</button>
          <button type="button" className="plain" onClick={() => theme.choose(wishes[(wishes.indexOf(theme.wish) + 1) % 3]!)}>{t(theme.wish)}</button>
          <button type="button" className="plain" lang={language === 'zh' ? 'en' : 'zh-CN'} onClick={() => choose(language === 'zh' ? 'en' : 'zh')}>{language === 'zh' ? 'English' : '中文'}</button>
          {me.session && <button type="button" className="plain" onClick={() => void signOut()}>{me.name || me.id} · {t('signOut')}</button>}
        </span>
      </header>
      {line.state === 'offline' && <p className="band" role="alert">{t('offlineBand', { t: timeOfDay(line.since) })}</p>}
      {line.state === 'signed_out' && (
        <div className="band" role="alert">
          <p>{t('signedOutBand')}</p>
          <SignIn inPlace onDone={(again) => {
            signedIn(again)
            stream.signedIn()
          }} />
        </div>
      )}
      {children}
      {panel === 'help' && <Help onClose={() => setPanel(null)} />}
      {panel === 'palette' && <Palette onClose={() => setPanel(null)} />}
    </div>
  )
}

/** Sound and desktop notices: switched here, by those who want them. */
function Wishes() {
  const t = useTexts(TEXT)
  const stream = useStream()
  const wanted = { sound: useWish('sound'), notify: useWish('notify') }
  useEffect(() => stream.onUpdate((update) => stream.leads && alarm.take(update, (urgency) => t(`arrived_${urgency}`))), [stream, t])
  return (['sound', 'notify'] as const).map((wish) => (
    <button key={wish} type="button" className="plain" aria-pressed={wanted[wish]} onClick={() => void alarm.choose(wish, !wanted[wish])}>
      {t(wish)} {wanted[wish] ? t('on') : t('off')}
    </button>
  ))
}

/** `g`, then a letter within a second; the letter is taken before anything else sees it. */
function useGoing(since: number, go: (path: string) => void): void {
  const within = () => since > 0 && performance.now() - since < 1_000
  useKeys({ place: (letter) => (within() ? go(PLACES[letter as keyof typeof PLACES]) : false) }, since ? ['places'] : [])
}
