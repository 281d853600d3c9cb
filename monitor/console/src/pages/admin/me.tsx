import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Input } from 'antd'
import { useState } from 'react'

import { api, get } from '../../api/client'
import { useSession } from '../../api/session'
import { texts, useTexts, useWord } from '../../i18n'
import { when } from './kinds'
import { Outcome, Twice, useAct, Waiting } from './parts'
import { permissions } from './text'

const TEXT = texts(
  {
    title: '我的账号', may: '可以做的', everywhere: '全机构', and: '、', sessions: '登录着的地方', here: '就是这里', since: '{t} 登录，{s} 还在用', end: '登出', endSure: '确认登出', program: '本机程序没有账号。用邀请链接登录后，这里有密码与登录记录',
    password: '改密码', old: '现在的密码', fresh: '新密码（至少 12 个字）', again: '再输一次', differs: '两次不一样', short: '新密码至少 12 个字', change: '改密码', changed: '已改。别处的登录都已结束',
  },
  {
    title: 'My account', may: 'What you may do', everywhere: 'the whole tenant', and: ', ', sessions: 'Where you are signed in', here: 'here', since: 'since {t}, last used {s}', end: 'Sign out', endSure: 'Sign it out', program: 'A program of this machine has no account. Who signs in by an invitation finds password and sessions here',
    password: 'Change the password', old: 'Present password', fresh: 'New password (at least 12 characters)', again: 'Once more', differs: 'They differ', short: 'At least 12 characters', change: 'Change it', changed: 'Changed. All other sessions have ended',
  },
)

export function Account() {
  const t = useTexts(TEXT)
  const say = useWord(permissions)
  const { me } = useSession()
  const where = new Map<string, string[]>()
  for (const [name, of] of Object.entries(me.permissions)) {
    const units = of.map((unit) => unit || t('everywhere')).join(t('and'))
    where.set(units, [...(where.get(units) ?? []), say(name)])
  }
  return (
    <section className="whole-part">
      <h1 className="title">{t('title')} <span className="meta">{me.name || me.id} · {me.tenant}</span></h1>
      <h2 className="small">{t('may')}</h2>
      <dl className="pairs small">
        {[...where].map(([units, names]) => <div key={units} className="pair"><dt className="meta">{units}</dt><dd>{names.join(t('and'))}</dd></div>)}
      </dl>
      {me.session ? <><Sessions /><Password /></> : <p className="meta">{t('program')}</p>}
    </section>
  )
}

function Sessions() {
  const t = useTexts(TEXT)
  const { act, fault } = useAct()
  const asked = useQuery({ queryKey: ['sessions'], queryFn: ({ signal }) => get(api.GET('/api/v1/sessions', { params: { query: { limit: 200 } }, signal })) })
  if (!asked.data) return <Waiting error={asked.error} again={() => void asked.refetch()} />
  return (
    <>
      <h2 className="small">{t('sessions')}</h2>
      <ul className="lines-list">
        {asked.data.sessions.map((one) => (
          <li key={one.id}><span>{t('since', { t: when(one.created_at), s: when(one.seen_at) })} {one.this && <span className="chip">{t('here')}</span>}</span>
            {!one.this && <Twice sure={t('endSure')} onDo={() => void act(async () => {
              await get(api.DELETE('/api/v1/sessions/{session}', { params: { path: { session: one.id } } }))
              await asked.refetch()
            })}>{t('end')}</Twice>}</li>
        ))}
      </ul>
      <Outcome said="" fault={fault} />
    </>
  )
}

function Password() {
  const t = useTexts(TEXT)
  const client = useQueryClient()
  const { busy, said, fault, act } = useAct()
  const [old, setOld] = useState('')
  const [fresh, setFresh] = useState('')
  const [again, setAgain] = useState('')
  return (
    <form className="password" onSubmit={(event) => {
      event.preventDefault()
      void act(async () => {
        if (fresh.length < 12) throw new Error(t('short'))
        if (fresh !== again) throw new Error(t('differs'))
        await get(api.PUT('/api/v1/session/password', { body: { password: old, new_password: fresh } }))
        void client.invalidateQueries({ queryKey: ['sessions'] })
        setOld('')
        setFresh('')
        setAgain('')
        return t('changed')
      })
    }}>
      <h2 className="small">{t('password')}</h2>
      <label className="small">{t('old')}<Input type="password" autoComplete="current-password" value={old} onChange={(event) => setOld(event.target.value)} /></label>
      <label className="small">{t('fresh')}<Input type="password" autoComplete="new-password" value={fresh} onChange={(event) => setFresh(event.target.value)} /></label>
      <label className="small">{t('again')}<Input type="password" autoComplete="new-password" value={again} onChange={(event) => setAgain(event.target.value)} /></label>
      <p><Button htmlType="submit" disabled={busy || !old || !fresh}>{t('change')}</Button></p>
      <Outcome said={said} fault={fault} />
    </form>
  )
}
