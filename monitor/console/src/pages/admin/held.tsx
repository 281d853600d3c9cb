import { useQuery, useQueryClient } from '@tanstack/react-query'

import { api, get, type Schemas } from '../../api/client'
import { useSession } from '../../api/session'
import { texts, useTexts } from '../../i18n'
import { when } from './kinds'
import { Outcome, Twice, useAct, Waiting } from './parts'

export const holds = texts(
  { excepted: '例外', silenced: '静默', same_wording: '同样的话已判不违规', inhibited: '同类更重的先判', storm: '风暴' },
  { excepted: 'Exception', silenced: 'Silence', same_wording: 'Same words found lawful', inhibited: 'A graver one goes first', storm: 'Storm' },
)

const TEXT = texts(
  { title: '暂缓的预警', about: '暂缓的预警都存着、计着，只是不在队列里。放行后回到队列', empty: '没有暂缓的预警', n: '{n} 条', ends: '到 {t}', release: '放行', sure: '放行 {n} 条', released: '已放行 {n} 条', refused: '；{m} 条没有放行', such: '例如' },
  { title: 'Held alerts', about: 'They are kept and counted, in no queue. Released ones come into the queue', empty: 'Nothing is held', n: '{n}', ends: 'until {t}', release: 'Release', sure: 'Release {n}', released: '{n} released', refused: '; {m} {m:was|were} not', such: 'Such as' },
)

export function Held() {
  const t = useTexts(TEXT)
  const asked = useQuery({ queryKey: ['held'], queryFn: ({ signal }) => get(api.GET('/api/v1/held', { signal })), refetchInterval: 30_000 })
  return (
    <section className="whole-part">
      <h1 className="title">{t('title')}</h1>
      <p className="meta">{t('about')}</p>
      {!asked.data ? <Waiting error={asked.error} again={() => void asked.refetch()} /> : asked.data.holders.length === 0 ? <p className="none">{t('empty')}</p>
        : <ul className="lines-list">{asked.data.holders.map((one) => <Holder key={`${one.why}/${one.by}`} one={one} />)}</ul>}
    </section>
  )
}

function Holder({ one }: { one: Schemas['Holder'] }) {
  const t = useTexts(TEXT)
  const why = useTexts(holds)
  const { may } = useSession()
  const client = useQueryClient()
  const { busy, said, fault, act } = useAct()
  const release = () => act(async () => {
    let [moved, refused] = [0, 0]
    let cursor: string | null = null
    do {
      const step: Schemas['MovedAll'] = await get(api.POST('/api/v1/held/{why}/{by}', { params: { path: { why: one.why, by: one.by } }, body: { move: { move: 'release' }, cursor, limit: 500 } }))
      moved += step.moved
      refused += Object.keys(step.refused).length
      cursor = step.next
    } while (cursor)
    void client.invalidateQueries({ queryKey: ['held'] })
    return t('released', { n: moved }) + (refused ? t('refused', { m: refused }) : '')
  })
  return (
    <li>
      <div>
        <p><span className="chip">{why(one.why)}</span> <strong>{t('n', { n: one.held })}</strong> {one.ends != null && <span className="meta">{t('ends', { t: when(one.ends) })}</span>}</p>
        <p className="meta">{one.about}</p>
        <p className="small one-line"><span className="meta">{t('such')} {one.sample.room}</span> {one.sample.text || one.sample.title}</p>
        <Outcome said={said} fault={fault} />
      </div>
      {may('lead') && <Twice sure={t('sure', { n: one.held })} disabled={busy} onDo={() => void release()}>{t('release')}</Twice>}
    </li>
  )
}
