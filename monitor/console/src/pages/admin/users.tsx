import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Button, Checkbox, Input, Select } from 'antd'
import { useState } from 'react'

import { api, get, Refusal, told, type Schemas } from '../../api/client'
import { useSession } from '../../api/session'
import { texts, useTexts } from '../../i18n'
import { useOptions } from './inputs'
import { when } from './kinds'
import { Outcome, useAct, Waiting } from './parts'
import { sections, TEXT as SHARED } from './text'

type User = Schemas['User']
type Role = User['grants'][number]['role']

export const roles = texts(
  { reviewer: '监察员', lead: '带班', operator: '运营', unit_admin: '单元管理员', coordinator: '协同员', auditor: '审计员', ops: '运维' },
  { reviewer: 'Reviewer', lead: 'Lead', operator: 'Operator', unit_admin: 'Unit admin', coordinator: 'Coordinator', auditor: 'Auditor', ops: 'Ops' },
)

const TEXT = texts(
  {
    login: '账号', name: '姓名', grants: '角色与范围', role: '角色', unit: '单元', whole: '全机构', disabled: '停用：退出登录，不能再进', off: '已停用', waiting: '还没接受邀请', addGrant: '添一个角色', noGrant: '没有角色',
    invite: '发邀请链接', again: '发新链接（忘了密码）', link: '链接只用一次，{t} 前有效。复制给本人：', copy: '复制', copied: '已复制', stale: '有人先改了这个用户。已换成最新的，请再改一次', saved: '已保存', own: '自己的角色要请别人改',
  },
  {
    login: 'Login', name: 'Name', grants: 'Roles, and where', role: 'Role', unit: 'Unit', whole: 'the whole tenant', disabled: 'Disabled: signed out and kept out', off: 'disabled', waiting: 'invitation not taken yet', addGrant: 'Add a role', noGrant: 'no role',
    invite: 'Make an invitation', again: 'A new link (password forgotten)', link: 'The link works once, until {t}. Hand it to them:', copy: 'Copy', copied: 'Copied', stale: 'Somebody was first. This is the latest; change it again', saved: 'Saved', own: 'Ask somebody else to change your own roles',
  },
)

export function useUsers() {
  return useQuery({
    queryKey: ['users'],
    queryFn: async ({ signal }) => {
      const found: User[] = []
      let cursor: string | null | undefined
      do {
        const page = await get(api.GET('/api/v1/users', { params: { query: { limit: 1000, ...(cursor ? { cursor } : {}) } }, signal }))
        found.push(...page.users)
        cursor = page.next
      } while (cursor)
      return found
    },
  })
}

export function Users({ chosen, onChoose }: { chosen: string | null; onChoose: (login: string | null) => void }) {
  const t = useTexts(TEXT)
  const s = useTexts(SHARED)
  const say = useTexts(sections)
  const role = useTexts(roles)
  const users = useUsers()
  if (!users.data) return <Waiting error={users.error} again={() => void users.refetch()} />
  const one = users.data.find((each) => each.login === chosen)
  return (
    <>
      <section className="records" aria-label={say('users')}>
        <div className="records-head"><h1 className="title">{say('users')} <span className="meta">{s('count', { n: users.data.length })}</span></h1><Button size="small" onClick={() => onChoose('+')}>{s('make')}</Button></div>
        <ul className="records-box plain-list">
          {users.data.map((user) => (
            <li key={user.login}>
              <button type="button" className={`record${user.login === chosen ? ' chosen' : ''}`} aria-current={user.login === chosen ? 'true' : undefined} onClick={() => onChoose(user.login)}>
                <span className="one-line">{user.name || user.login}{user.name && <span className="meta"> {user.login}</span>}</span>
                <span className="meta one-line">{[user.disabled ? t('off') : '', ...user.grants.map((grant) => `${role(grant.role)}${grant.unit ? ` ${grant.unit}` : ''}`)].filter(Boolean).join(' · ') || t('noGrant')}{!user.joined && ` · ${t('waiting')}`}</span>
              </button>
            </li>
          ))}
        </ul>
      </section>
      <section className="beside">
        {one || chosen === '+' ? <UserEditor key={chosen} user={one ?? null} onDone={onChoose} /> : <p className="empty">{s('pick')}</p>}
      </section>
    </>
  )
}

function UserEditor({ user, onDone }: { user: User | null; onDone: (login: string) => void }) {
  const t = useTexts(TEXT)
  const s = useTexts(SHARED)
  const role = useTexts(roles)
  const { me } = useSession()
  const client = useQueryClient()
  const units = [{ value: '', label: t('whole') }, ...useOptions('unit')]
  const [now, setNow] = useState(user)
  const [login, setLogin] = useState(user?.login ?? '')
  const [name, setName] = useState(user?.name ?? '')
  const [grants, setGrants] = useState<User['grants']>(user?.grants ?? [{ role: 'reviewer', unit: '' }])
  const [disabled, setDisabled] = useState(user?.disabled ?? false)
  const { busy, said, fault, act } = useAct()
  const own = user !== null && user.login === me.id
  const put = (n: number, part: Partial<User['grants'][number]>) => setGrants(grants.map((grant, m) => (m === n ? { ...grant, ...part } : grant)))
  const show = (found: User) => {
    setNow(found)
    setName(found.name)
    setGrants(found.grants)
    setDisabled(found.disabled ?? false)
  }
  const path = { login: login.trim() }
  const save = () => act(async () => {
    try {
      show(await get(api.PUT('/api/v1/users/{login}', { params: { path }, body: { name, grants, disabled, version: now?.version ?? 0 } })))
    } catch (error) {
      if (!(error instanceof Refusal) || error.details.why !== 'stale' || !now) throw error
      show(await get(api.GET('/api/v1/users/{login}', { params: { path } })))
      throw new Error(t('stale'), { cause: error })
    }
    await client.invalidateQueries({ queryKey: ['users'] })
    onDone(path.login)
    return t('saved')
  })
  return (
    <form className="editor" onSubmit={(event) => {
      event.preventDefault()
      void save()
    }}>
      <header><h2 className="title">{now?.name || now?.login || s('make')}</h2></header>
      <div className="fields">
        <div className="field-line"><label htmlFor="login" className="small">{t('login')}</label><div>{user ? <code>{user.login}</code> : <Input id="login" className="half" autoComplete="off" value={login} onChange={(event) => setLogin(event.target.value)} />}</div></div>
        <div className="field-line"><label htmlFor="name" className="small">{t('name')}</label><div><Input id="name" className="half" autoComplete="off" value={name} onChange={(event) => setName(event.target.value)} /></div></div>
        <div className="field-line">
          <span className="small">{t('grants')}</span>
          <div className="rows">
            {grants.map((grant, n) => (
              <div key={n} className="row-pairs">
                <Select aria-label={t('role')} disabled={own} value={grant.role} options={(Object.keys(roles.zh) as Role[]).map((value) => ({ value, label: role(value) }))} onChange={(value: Role) => put(n, { role: value })} />
                <Select aria-label={t('unit')} disabled={own} value={grant.unit ?? ''} options={units} showSearch={{ optionFilterProp: 'label' }} onChange={(value: string) => put(n, { unit: value })} />
                {!own && <button type="button" className="plain" aria-label={s('remove')} onClick={() => setGrants(grants.filter((_, m) => m !== n))}>×</button>}
              </div>
            ))}
            {own ? <p className="meta">{t('own')}</p> : <Button size="small" onClick={() => setGrants([...grants, { role: 'reviewer', unit: '' }])}>{t('addGrant')}</Button>}
          </div>
        </div>
        {user && <div className="field-line"><span /><div><Checkbox checked={disabled} disabled={own} onChange={(event) => setDisabled(event.target.checked)}>{t('disabled')}</Checkbox></div></div>}
      </div>
      <footer><Button htmlType="submit" disabled={busy || !login.trim()}>{busy ? s('saving') : s('save')}</Button><Outcome said={said} fault={fault} /></footer>
      {user && <Invite login={user.login} joined={user.joined ?? false} />}
    </form>
  )
}

function Invite({ login, joined }: { login: string; joined: boolean }) {
  const t = useTexts(TEXT)
  const [made, setMade] = useState<{ address: string; until: number } | null>(null)
  const [fault, setFault] = useState('')
  const [copied, setCopied] = useState(false)
  const make = async () => {
    try {
      const link = await get(api.POST('/api/v1/users/{login}/invitation', { params: { path: { login } } }))
      setMade({ address: globalThis.location.origin + link.path, until: link.expires_at })
      setCopied(false)
      setFault('')
    } catch (error) {
      setFault(told(error))
    }
  }
  return (
    <section className="extra">
      <Button onClick={() => void make()}>{t(joined ? 'again' : 'invite')}</Button>
      {made && (
        <div role="status">
          <p className="small">{t('link', { t: when(made.until) })}</p>
          <p className="invited"><Input readOnly aria-label={t('invite')} value={made.address} onFocus={(event) => event.target.select()} />
            <Button onClick={() => void navigator.clipboard?.writeText(made.address).then(() => setCopied(true), () => {})}>{t(copied ? 'copied' : 'copy')}</Button></p>
        </div>
      )}
      <Outcome said="" fault={fault} />
    </section>
  )
}
