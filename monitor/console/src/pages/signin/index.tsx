import { Button, Input } from 'antd'
import { useEffect, useState, type FormEvent } from 'react'
import { useParams } from 'react-router'

import { api, get, Refusal, told, type Me } from '../../api/client'
import { texts, useLanguage, useTexts } from '../../i18n'

const TEXT = texts(
  {
    signIn: '登录', login: '账号', password: '密码', tenant: '机构', choose: '你在几家机构有账号，选一家', welcome: '{name}，设一个密码就能开始', set: '设密码并登录',
    fresh: '密码（至少 12 个字）', again: '再输一次', differs: '两次不一样', short: '至少 12 个字', gone: '这个链接用过了或已过期。请管理员再发一个', toSignIn: '已有密码，去登录',
  },
  {
    signIn: 'Sign in', login: 'Login', password: 'Password', tenant: 'Agency', choose: 'You work for several agencies; pick one', welcome: '{name}, set a password to begin', set: 'Set it and sign in',
    fresh: 'Password (at least 12 characters)', again: 'Once more', differs: 'They differ', short: 'At least 12 characters', gone: 'This link was used or has run out. Ask for another one', toSignIn: 'I have a password: sign in',
  },
)

/** `inPlace`: within a page that stays as it is. */
export function SignIn({ onDone, inPlace = false }: { onDone: (me: Me) => void; inPlace?: boolean }) {
  const t = useTexts(TEXT)
  const [login, setLogin] = useState('')
  const [password, setPassword] = useState('')
  const [tenants, setTenants] = useState<string[]>([])
  const [trouble, setTrouble] = useState('')
  const [busy, setBusy] = useState(false)
  const enter = async (tenant: string | null) => {
    setBusy(true)
    try {
      onDone(await get(api.POST('/api/v1/session', { body: { login, password, tenant } })))
    } catch (error) {
      const several = error instanceof Refusal && error.code === 'choose_tenant' ? (error.details.tenants as string[]) : []
      setTenants(several)
      setTrouble(several.length ? t('choose') : told(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <form className={inPlace ? 'sign-in' : 'whole'} onSubmit={(event: FormEvent) => {
      event.preventDefault()
      void enter(null)
    }}>
      {!inPlace && <WholeHead title={`redpost · ${t('signIn')}`} />}
      <label>{t('login')}<Input autoFocus={!inPlace} value={login} autoComplete="username" onChange={(event) => setLogin(event.target.value)} /></label>
      <label>{t('password')}<Input type="password" value={password} autoComplete="current-password" onChange={(event) => setPassword(event.target.value)} /></label>
      <Button htmlType="submit" disabled={busy || !login || !password}>{t('signIn')}</Button>
      {trouble && <p role="alert">{trouble}</p>}
      {tenants.map((tenant) => <Button key={tenant} onClick={() => void enter(tenant)}>{tenant}</Button>)}
    </form>
  )
}

/** Somebody's first sign-in, by a link that works once. */
export function Invitation() {
  const t = useTexts(TEXT)
  const { secret = '' } = useParams()
  const [name, setName] = useState<string | null>(null)
  const [first, setFirst] = useState('')
  const [second, setSecond] = useState('')
  const [trouble, setTrouble] = useState('')
  useEffect(() => {
    get(api.GET('/api/v1/invitations/{secret}', { params: { path: { secret } } }))
      .then((invited) => setName(invited.name || invited.login), () => setTrouble(t('gone')))
  }, [secret, t])
  const set = async () => {
    if (first.length < 12) return setTrouble(t('short'))
    if (first !== second) return setTrouble(t('differs'))
    try {
      await get(api.POST('/api/v1/invitations/{secret}', { params: { path: { secret } }, body: { password: first } }))
      globalThis.location.assign('/')
    } catch (error) {
      setTrouble(told(error))
    }
  }
  return (
    <form className="whole" onSubmit={(event: FormEvent) => {
      event.preventDefault()
      void set()
    }}>
      {name !== null && (
        <>
          <WholeHead title={t('welcome', { name })} />
          <label>{t('fresh')}<Input autoFocus type="password" value={first} autoComplete="new-password" onChange={(event) => setFirst(event.target.value)} /></label>
          <label>{t('again')}<Input type="password" value={second} autoComplete="new-password" onChange={(event) => setSecond(event.target.value)} /></label>
          <Button htmlType="submit">{t('set')}</Button>
        </>
      )}
      {trouble && <p role="alert">{trouble}</p>}
      {trouble && name === null && <a href="/">{t('toSignIn')}</a>}
    </form>
  )
}

/** Nothing else stands around these pages: the language is chosen here. */
function WholeHead({ title }: { title: string }) {
  const { language, choose } = useLanguage()
  return (
    <header className="head-line">
      <h1 className="title">{title}</h1>
      <button type="button" className="plain" lang={language === 'zh' ? 'en' : 'zh-CN'} onClick={() => choose(language === 'zh' ? 'en' : 'zh')}>{language === 'zh' ? 'English' : '中文'}</button>
    </header>
  )
}
