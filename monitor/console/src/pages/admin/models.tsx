import { useQuery, useQueryClient } from '@tanstack/react-query'

import { api, get, Refusal, type Schemas } from '../../api/client'
import { texts, useTexts } from '../../i18n'
import { when } from './kinds'
import { Outcome, Twice, useAct, Waiting } from './parts'

const TEXT = texts(
  {
    title: '分类器', empty: '还没有分类器', serving: '在用', shadow: '影子试用', previous: '上一个', f1: '宏平均 F1', alarms: '难负例误报', lines: '学了 {n} 句', made: '{t} 学成', card: '说明卡',
    try: '影子试用', promote: '启用', promoteSure: '确认启用', back: '退回上一个：{m}', backSure: '确认退回', retrain: '重新学习', retrainSure: '确认开始学习', now: '现在按 {m} 判', asked: '已开始学习', latest: '最近一次学习', by: '{who} {t} 发起',
    stage_waiting: '排队', stage_running: '在学', stage_kept: '学成，进了影子试用', stage_refused: '没有更好，不留', stage_failed: '没有学成', none: '还没有学习过', operator: '分类器由运营租户的人管', fault: '不能用：{why}',
  },
  {
    title: 'Classifiers', empty: 'No classifiers yet', serving: 'serving', shadow: 'shadow', previous: 'previous', f1: 'macro F1', alarms: 'alarms on hard negatives', lines: '{n} {n:line|lines} learnt', made: 'made {t}', card: 'Card',
    try: 'Try in the shadow', promote: 'Promote', promoteSure: 'Let it serve', back: 'Back to {m}', backSure: 'Go back', retrain: 'Retrain', retrainSure: 'Begin to learn', now: '{m} judges now', asked: 'Learning has begun', latest: 'The latest training', by: 'asked for by {who} at {t}',
    stage_waiting: 'waiting', stage_running: 'running', stage_kept: 'kept, and tried in the shadow', stage_refused: 'not better, not kept', stage_failed: 'failed', none: 'None so far', operator: 'Classifiers are for people of the operator\'s tenant', fault: 'Cannot serve: {why}',
  },
)

export function Models() {
  const t = useTexts(TEXT)
  const client = useQueryClient()
  const { busy, said, fault, act } = useAct()
  const asked = useQuery({ queryKey: ['models'], queryFn: ({ signal }) => get(api.GET('/api/v1/models', { params: { query: { limit: 1000 } }, signal })) })
  const step = (work: () => Promise<Schemas['ModelState']>, model: string) => void act(async () => {
    await work()
    await client.invalidateQueries({ queryKey: ['models'] })
    return t('now', { m: model })
  })
  if (!asked.data) {
    const outside = asked.error instanceof Refusal && asked.error.status === 403
    return outside ? <section className="whole-part"><h1 className="title">{t('title')}</h1><p className="none">{t('operator')}</p></section> : <Waiting error={asked.error} again={() => void asked.refetch()} />
  }
  const { models, state } = asked.data
  const previous = state.tenants?.['*']?.previous
  return (
    <section className="whole-part">
      <div className="records-head">
        <h1 className="title">{t('title')}</h1>
        {previous != null && <Twice sure={t('backSure')} disabled={busy} onDo={() => step(() => get(api.POST('/api/v1/models/rollback', { params: { query: { tenant: '*' } } })), previous || models[0]?.id || '')}>{t('back', { m: previous || models[0]?.id || '' })}</Twice>}
      </div>
      <Outcome said={said} fault={fault} />
      {models.length === 0 && <p className="none">{t('empty')}</p>}
      <ul className="lines-list">
        {models.map((model) => {
          const [name = '', version = ''] = model.id.split('/')
          const path = { name, version: Number(version) } as never
          return (
            <li key={model.id}>
              <div>
                <p><strong>{model.id}</strong> {model.role && <span className={`chip${model.role === 'serving' ? ' inverse' : ''}`}>{t(model.role as 'serving')}</span>} <a href={`/api/v1/models/${model.id}/card`} target="_blank" rel="noreferrer" className="small">{t('card')}</a></p>
                <p className="small">{[model.macro_f1 == null ? '' : `${t('f1')} ${model.macro_f1.toFixed(3)}`, model.hard_alarms == null ? '' : `${t('alarms')} ${(100 * model.hard_alarms).toFixed(1)}%`].filter(Boolean).join(' · ')}</p>
                <p className="meta">{[(model.lines ?? 0) > 0 ? t('lines', { n: model.lines ?? 0 }) : '', model.created_at ? t('made', { t: when(model.created_at) }) : '', model.tenant ?? ''].filter(Boolean).join(' · ')}</p>
                {model.fault && <p className="fault">{t('fault', { why: model.fault })}</p>}
              </div>
              {model.role !== 'serving' && !model.fault && (
                <span className="acts">
                  {model.role !== 'shadow' && <Twice sure={t('try')} disabled={busy} onDo={() => step(() => get(api.POST('/api/v1/models/{name}/{version}/shadow', { params: { path } })), model.id)}>{t('try')}</Twice>}
                  <Twice sure={t('promoteSure')} disabled={busy} onDo={() => step(() => get(api.POST('/api/v1/models/{name}/{version}/promote', { params: { path } })), model.id)}>{t('promote')}</Twice>
                </span>
              )}
            </li>
          )
        })}
      </ul>
      <Training />
    </section>
  )
}

function Training() {
  const t = useTexts(TEXT)
  const { busy, said, fault, act } = useAct()
  const asked = useQuery({
    queryKey: ['training'],
    queryFn: ({ signal }) => get(api.GET('/api/v1/models/retrain', { signal })).catch((error: unknown) => {
      if (error instanceof Refusal && error.status === 404) return null
      throw error
    }),
    refetchInterval: (query) => (['waiting', 'running'].includes(query.state.data?.stage ?? '') ? 3_000 : false),
  })
  const found = asked.data
  return (
    <section className="extra">
      <h2 className="small">{t('latest')}</h2>
      {found ? (
        <div className="small">
          <p><span className="chip">{t(`stage_${found.stage}`)}</span> <span className="meta">{t('by', { who: found.by, t: when(found.asked_at) })}</span></p>
          {found.learnt && <><p>{found.learnt.model} ↔ {found.learnt.against}</p><ul>{Object.entries(found.learnt.comparisons).map(([name, words]) => <li key={name}>{name}: {words}</li>)}</ul>{found.learnt.refused && <p>{found.learnt.refused}</p>}</>}
          {found.fault && <p className="fault">{found.fault}</p>}
        </div>
      ) : <p className="meta">{t('none')}</p>}
      <Twice sure={t('retrainSure')} disabled={busy || ['waiting', 'running'].includes(found?.stage ?? '')} onDo={() => void act(async () => {
        await get(api.POST('/api/v1/models/retrain'))
        await asked.refetch()
        return t('asked')
      })}>{t('retrain')}</Twice>
      <Outcome said={said} fault={fault} />
    </section>
  )
}
