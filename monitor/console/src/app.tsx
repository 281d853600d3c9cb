import { App as Antd, Button, ConfigProvider } from 'antd'
import en from 'antd/locale/en_US'
import zh from 'antd/locale/zh_CN'
import { Component, lazy, Suspense, useEffect, useMemo, type ReactNode } from 'react'
import { createBrowserRouter, Outlet, RouterProvider } from 'react-router'

import { speak } from './api/client'
import { SessionProvider } from './api/session'
import { useThemeChoice } from './design/choice'
import { nonce } from './design/nonce'
import { themeOf } from './design/theme'
import { texts, useLanguage, useTexts } from './i18n'
import { KeyboardProvider } from './keys'
import { StreamProvider } from './live/context'
import { Frame } from './frame'
import { PAGES } from './pages'
import { Invitation, SignIn } from './pages/signin'

const TEXT = texts(
  { opening: '正在打开', trouble: '没有连上服务', again: '重试', broken: '页面出错了', reload: '重新载入', missing: '没有这一页' },
  { opening: 'Opening', trouble: 'The service was not reached', again: 'Try again', broken: 'Something went wrong on this page', reload: 'Reload', missing: 'No such page' },
)

export function App() {
  const { language } = useLanguage()
  const theme = useThemeChoice()
  const csp = useMemo(() => ({ nonce: nonce() }), [])
  const look = useMemo(() => themeOf(theme.name), [theme.name])
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
    speak(language === 'zh' ? 'zh-CN' : 'en')
  }, [language])
  return (
    <ConfigProvider csp={csp} theme={look} locale={language === 'zh' ? zh : en} button={{ autoInsertSpace: false }} wave={{ disabled: true }}>
      <Antd component={false}>
        <KeyboardProvider>
          <RouterProvider router={router} />
        </KeyboardProvider>
      </Antd>
    </ConfigProvider>
  )
}

function Inside() {
  const t = useTexts(TEXT)
  return (
    <SessionProvider waiting={<p className="whole" role="status">{t('opening')}</p>} signIn={(done) => <SignIn onDone={done} />}
      trouble={(error, again) => (
        <div className="whole" role="alert"><p className="title">{t('trouble')}</p><p>{error.message}</p><Button onClick={again}>{t('again')}</Button></div>
      )}>
      <StreamProvider>
        <Frame>
          <Suspense fallback={<p className="whole" role="status">{t('opening')}</p>}>
            <Caught><Outlet /></Caught>
          </Suspense>
        </Frame>
      </StreamProvider>
    </SessionProvider>
  )
}

function Missing() {
  const t = useTexts(TEXT)
  return <p className="whole">{t('missing')}</p>
}

function Broken({ error }: { error: Error }) {
  const t = useTexts(TEXT)
  return (
    <div className="whole" role="alert">
      <p className="title">{t('broken')}</p>
      <pre className="small">{error.message}</pre>
      <Button onClick={() => globalThis.location.reload()}>{t('reload')}</Button>
    </div>
  )
}

class Caught extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null }
  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  override render() {
    return this.state.error ? <Broken error={this.state.error} /> : this.props.children
  }
}

const router = createBrowserRouter([
  { path: '/invitations/:secret', element: <Invitation /> },
  {
    element: <Inside />,
    children: [
      ...PAGES.map(({ path, load }) => {
        const Page = lazy(load)
        return { path, element: <Page key={path} /> }
      }),
      { path: '*', element: <Missing /> },
    ],
  },
])
