/** What may be tried of a record before or after it is saved. */
import { Button, Input, Select } from 'antd'
import { useState } from 'react'

import { api, get, type Schemas } from '../../api/client'
import { texts, useTexts } from '../../i18n'
import { CATEGORIES, categories, SEVERITIES, severities, TIERS, tiers } from '../../i18n/words'
import { useOptions } from './inputs'
import type { Kind, Values } from './kinds'
import { Outcome, useAct } from './parts'
import { labels } from './text'

const TEXT = texts(
  {
    preview: '预览会压住什么', standing: '待判的 {n} 条', lastDay: '近 24 小时 {n} 条', part: '（只看了最近 {n} 条）', sample: '例如',
    test: '发一条测试消息', testSent: '已交出。到“消息”里看送到没有', saveFirst: '先保存，再试',
    try: '试一条：会到哪个岗位', trying: '试', goesTo: '到：{post}', nowhere: '没有岗位', also: '另给：{posts}', unrouted: '没有路由答复，归默认岗位', because: '经过：{why}', heldBy: '现在会被暂缓：{why}', text: '话（例外用）', asSaved: '按已保存的路由试',
    root: '根', any: '不限',
  },
  {
    preview: 'What it would hold', standing: '{n} to be decided', lastDay: '{n} of the last 24 h', part: '(of the latest {n})', sample: 'Such as',
    test: 'Send a test message', testSent: 'Handed over. "Messages" shows whether it arrived', saveFirst: 'Save first, then try',
    try: 'Try one: which post?', trying: 'Try', goesTo: 'Goes to: {post}', nowhere: 'no post', also: 'Also to: {posts}', unrouted: 'No route answers; it falls to the default post', because: 'By: {why}', heldBy: 'It would be held now: {why}', text: 'Words (for exceptions)', asSaved: 'As the saved routes say',
    root: 'root', any: 'Any',
  },
)

export function Extras({ kind, id, record, dirty }: { kind: Kind; id: string; record: Values; dirty: boolean }) {
  if (kind === 'silence') return <SilencePreview record={record} />
  if (kind === 'channel' && id) return <ChannelTest id={id} dirty={dirty} />
  if (kind === 'routes') return <RouteTest />
  return null
}

function SilencePreview({ record }: { record: Values }) {
  const t = useTexts(TEXT)
  const { busy, fault, act } = useAct()
  const [found, setFound] = useState<Schemas['Preview'] | null>(null)
  const body = { match: (record.match ?? {}) as Record<string, string[]>, unless: (record.unless ?? {}) as Record<string, string[]> }
  return (
    <section className="extra">
      <Button disabled={busy || Object.keys(body.match).length === 0} onClick={() => void act(async () => setFound(await get(api.POST('/api/v1/silences/preview', { body }))))}>{t('preview')}</Button>
      {found && (
        <div className="small" role="status">
          <p><strong>{t('standing', { n: found.standing })}</strong> · {t('lastDay', { n: found.last_day })}{!found.complete && t('part', { n: found.looked_at })}</p>
          <ul>{found.sample.slice(0, 5).map((alert) => <li key={alert.id} className="one-line"><span className="meta">{alert.room}</span> {alert.text || alert.title}</li>)}</ul>
        </div>
      )}
      <Outcome said="" fault={fault} />
    </section>
  )
}

function ChannelTest({ id, dirty }: { id: string; dirty: boolean }) {
  const t = useTexts(TEXT)
  const { busy, said, fault, act } = useAct()
  return (
    <section className="extra">
      <Button disabled={busy || dirty} onClick={() => void act(async () => {
        await get(api.POST('/api/v1/channels/{id}/test', { params: { path: { id } } }))
        return t('testSent')
      })}>{t('test')}</Button>
      <Outcome said={dirty ? t('saveFirst') : said} fault={fault} />
    </section>
  )
}

type Asked = Partial<Record<'room' | 'category' | 'severity' | 'tier' | 'text', string>>

function RouteTest() {
  const t = useTexts(TEXT)
  const say = useTexts(labels)
  const category = useTexts(categories)
  const severity = useTexts(severities)
  const tier = useTexts(tiers)
  const rooms = useOptions('room')
  const posts = useOptions('post')
  const { busy, fault, act } = useAct()
  const [asked, setAsked] = useState<Asked>({})
  const [found, setFound] = useState<Schemas['Tried'] | null>(null)
  const called = (id: string) => posts.find((post) => post.value === id)?.label ?? id
  const put = (name: keyof Asked, value: string | null) => {
    const { [name]: _, ...rest } = asked
    setAsked(value ? { ...rest, [name]: value } : rest)
  }
  const choice = (name: 'room' | 'category' | 'severity' | 'tier', options: { value: string; label: string }[]) => (
    <Select size="small" allowClear showSearch={{ optionFilterProp: 'label' }} aria-label={say(name)} placeholder={say(name)} options={options} value={asked[name] ?? null}
      onChange={(value: string | null) => put(name, value)} />
  )
  return (
    <section className="extra">
      <h3 className="small">{t('try')} <span className="meta">{t('asSaved')}</span></h3>
      <div className="try">
        {choice('room', rooms)}
        {choice('category', CATEGORIES.map((value) => ({ value, label: category(value) })))}
        {choice('severity', SEVERITIES.map((value) => ({ value, label: severity(value) })))}
        {choice('tier', TIERS.map((value) => ({ value, label: tier(value) })))}
        <Input size="small" aria-label={t('text')} placeholder={t('text')} value={asked.text ?? ''} onChange={(event) => put('text', event.target.value)} />
        <Button size="small" disabled={busy} onClick={() => void act(async () => setFound(await get(api.GET('/api/v1/routes/test', { params: { query: asked as never } }))))}>{t('trying')}</Button>
      </div>
      {found && (
        <div className="small" role="status">
          <p><strong>{t('goesTo', { post: found.title || (found.post ? called(found.post) : t('nowhere')) })}</strong></p>
          {found.unrouted && <p>{t('unrouted')}</p>}
          {found.also.length > 0 && <p>{t('also', { posts: found.also.map(called).join('、') })}</p>}
          {found.why.length > 0 && <p>{t('because', { why: found.why.map((step) => `${step.unit || 'tenant'} ${step.place || t('root')} → ${called(step.post)}`).join('；') })}</p>}
          {found.held.length > 0 && <p>{t('heldBy', { why: found.held.map((each) => `${each.why} ${each.by}`).join('；') })}</p>}
        </div>
      )}
      <Outcome said="" fault={fault} />
    </section>
  )
}
