import { useQuery } from '@tanstack/react-query'

import { api, get, type Schemas } from '../../api/client'
import { texts, useTexts } from '../../i18n'
import { when } from './kinds'
import { Waiting } from './parts'

const TEXT = texts(
  { title: '消息', empty: '没有消息', dead: '没送到', waiting: '在路上', sent: '已送到', time: '时间', channel: '渠道', about: '内容', state: '状态', tries: '试了 {n} 次', next: '{t} 再试', more: '另有 {n} 件' },
  { title: 'Messages', empty: 'No messages', dead: 'failed', waiting: 'on its way', sent: 'sent', time: 'Time', channel: 'Channel', about: 'About', state: 'State', tries: '{n} {n:try|tries}', next: 'again at {t}', more: '{n} more' },
)
const ORDER = ['dead', 'waiting', 'sent'] as const

export function Messages() {
  const t = useTexts(TEXT)
  const asked = useQuery({
    queryKey: ['messages'],
    queryFn: async ({ signal }) => {
      const of = async (state: (typeof ORDER)[number]) => (await get(api.GET('/api/v1/messages', { params: { query: { state, limit: 100 } }, signal }))).messages
      return (await Promise.all(ORDER.map(of))).flat()
    },
    refetchInterval: 30_000,
  })
  return (
    <section className="whole-part">
      <h1 className="title">{t('title')}</h1>
      {!asked.data ? <Waiting error={asked.error} again={() => void asked.refetch()} /> : asked.data.length === 0 ? <p className="none">{t('empty')}</p> : (
        <table className="told-table small">
          <thead><tr>{(['state', 'time', 'channel', 'about'] as const).map((name) => <th key={name}>{t(name)}</th>)}</tr></thead>
          <tbody>{asked.data.map((one) => <Row key={one.message.id} one={one} />)}</tbody>
        </table>
      )}
    </section>
  )
}

function Row({ one }: { one: Schemas['Posted'] }) {
  const t = useTexts(TEXT)
  const { message } = one
  return (
    <tr>
      <td className="nowrap"><span className={`chip${one.state === 'dead' ? ' inverse' : ''}`}>{t(one.state)}</span></td>
      <td className="nowrap">{when(message.at)}</td>
      <td>{message.channel}</td>
      <td>
        {message.items.map((item, n) => <p key={n}>{[message.room, item.title, item.text].filter(Boolean).join(' · ')}</p>)}
        {(message.more ?? 0) > 0 && <p className="meta">{t('more', { n: message.more ?? 0 })}</p>}
        {one.state !== 'sent' && <p className="meta">{[one.tries > 0 ? t('tries', { n: one.tries }) : '', one.due ? t('next', { t: when(one.due) }) : '', one.error].filter(Boolean).join(' · ')}</p>}
      </td>
    </tr>
  )
}
