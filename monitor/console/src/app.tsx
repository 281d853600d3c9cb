import { useQuery } from '@tanstack/react-query'
import { App as Antd, Button, ConfigProvider } from 'antd'
import en from 'antd/locale/en_US'
import zh from 'antd/locale/zh_CN'
import { useEffect, useMemo } from 'react'
import { createBrowserRouter, matchPath, Outlet, RouterProvider, useRouteError } from 'react-router'

import { speak } from './api/client'
import { SessionProvider } from './api/session'
import { useThemeChoice } from './design/choice'
import { nonce } from './design/nonce'
import { themeOf } from './design/theme'
import { texts, useLanguage, useTexts } from './i18n'
import { KeyboardProvider } from './keys'
import { StreamProvider } from './live/context'
import { Frame } from './frame'
import { PAGES, type Page } from './pages'
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
  return (
    <SessionProvider waiting={<Opening />} signIn={(done) => <SignIn onDone={done} />}
      trouble={(error, again) => <Unreached why={error.message} again={again} />}>
      <StreamProvider>
        <Frame><Outlet /></Frame>
      </StreamProvider>
    </SessionProvider>
  )
}

function Opening() {
  const t = useTexts(TEXT)
  return <p className="whole" role="status">{t('opening')}</p>
}

function Unreached({ why, again }: { why: string; again: () => void }) {
  const t = useTexts(TEXT)
  return <div className="whole" role="alert"><p className="title">{t('trouble')}</p><p>{why}</p><Button onClick={again}>{t('again')}</Button></div>
}

/** The page, once its code is there. Without a Suspense, which would hold it back for 300 ms. */
function Opened({ page }: { page: Page }) {
  const code = useQuery({ queryKey: ['code', page.path], queryFn: page.load, structuralSharing: false, staleTime: Infinity, gcTime: Infinity, retry: false })
  if (code.data) return <code.data.default />
  if (code.error) return <Unreached why={code.error.message} again={() => void code.refetch()} />
  return <Opening />
}

/** Its code comes while the session is asked for. */
PAGES.find(({ path }) => matchPath(path, globalThis.location.pathname))?.load().catch(() => {})

function Missing() {
  const t = useTexts(TEXT)
  return <p className="whole">{t('missing')}</p>
}

function Broken() {
  const t = useTexts(TEXT)
  const error = useRouteError()
  return (
    <div className="whole" role="alert">
      <p className="title">{t('broken')}</p>
      <pre className="small">{error instanceof Error ? error.message : String(error)}</pre>
      <Button onClick={() => globalThis.location.reload()}>{t('reload')}</Button>
    </div>
  )
}

const router = createBrowserRouter([
  { path: '/invitations/:secret', element: <Invitation /> },
  {
    element: <Inside />,
    children: [
      ...PAGES.map((page) => ({ path: page.path, element: <Opened key={page.path} page={page} />, errorElement: <Broken /> })),
      { path: '*', element: <Missing /> },
    ],
  },
])
