import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Checkbox, Select } from 'antd'
import { useMemo, useState } from 'react'
import { useSearchParams } from 'react-router'

import { api, get, serviceNow } from '../../api/client'
import { useSession } from '../../api/session'
import { useThemeChoice } from '../../design/choice'
import { PALETTES } from '../../design/tokens'
import { useTexts } from '../../i18n'
import { categories, CATEGORIES, type Category } from '../../i18n/words'
import { useRecords, useRooms } from '../../api/records'
import { Chart } from './chart'
import './figures.css'
import { Ledgers, ModelHealth, RuleHealth } from './health'
import { lineOf, over, posts } from './options'
import { Big, Panel, Shares, Waiting, Waits } from './panels'
import { askedOf, boundsOf, byCategory, dayAndTime, hours, paramsOf, RANGES, steps, type Asked, type Figures, type RangeName } from './shape'
import { TEXT } from './text'

function useFigures(asked: Asked, back: boolean, enabled = true) {
  const { range, post, unit, room } = asked
  return useQuery({
    queryKey: ['figures', range, post, unit, room, back],
    queryFn: ({ signal }) => {
      const { since, until } = boundsOf(range, serviceNow())
      const by = back ? until - since : 0
      const query = { since: since - by, until: until - by, ...(post && { post }), ...(unit && { unit }), ...(room && { room }) }
      return get(api.GET('/api/v1/figures', { params: { query }, signal }))
    },
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
    enabled,
  })
}

export default function FiguresPage() {
  const t = useTexts(TEXT)
  const [params, setParams] = useSearchParams()
  const asked = useMemo(() => askedOf(params), [params])
  const now = useFigures(asked, false)
  const before = useFigures(asked, true, asked.compare)
  return (
    <main className="page figures">
      <Head asked={asked} onAsk={(next) => setParams(paramsOf(next))} />
      {now.data ? <Every figures={now.data} before={asked.compare ? before.data : undefined} asked={asked} />
        : now.error ? <p className="empty" role="alert">{now.error.message} <button type="button" className="plain" onClick={() => void now.refetch()}>{t('again')}</button></p>
          : <p className="empty" role="status">{t('reading')}</p>}
    </main>
  )
}

function Head({ asked, onAsk }: { asked: Asked; onAsk: (asked: Asked) => void }) {
  const t = useTexts(TEXT)
  const units = useRecords('unit') ?? []
  const desks = useRecords('post') ?? []
  const rooms = useRooms()
  const choice = (name: 'unit' | 'post' | 'room', options: { value: string; label: string }[]) => (
    <Select size="small" allowClear showSearch={{ optionFilterProp: 'label' }} placeholder={t(name)} aria-label={t(name)} options={options} popupMatchSelectWidth={false}
      value={asked[name] ?? null} onChange={(value: string | null) => {
        const { [name]: _, ...rest } = asked
        onAsk(value ? { ...rest, [name]: value } : rest)
      }} />
  )
  const named = (each: { id: string; record: unknown }) => ({ value: each.id, label: (each.record as { title?: string }).title || each.id })
  return (
    <div className="figures-head">
      <h1 className="title">{t('title')}</h1>
      <span role="group" aria-label={t('range')} className="ranges">
        {(Object.keys(RANGES) as RangeName[]).map((range) => (
          <button key={range} type="button" className={`plain${range === asked.range ? ' chosen' : ''}`} aria-pressed={range === asked.range} onClick={() => onAsk({ ...asked, range })}>{t(range)}</button>
        ))}
      </span>
      {choice('unit', units.map(named))}
      {choice('post', desks.map(named))}
      {choice('room', [...rooms].map(([value, room]) => ({ value, label: room.title ?? value })))}
      <Checkbox checked={asked.compare} onChange={(event) => onAsk({ ...asked, compare: event.target.checked })}>{t('compare')}</Checkbox>
    </div>
  )
}

function Every({ figures, before, asked }: { figures: Figures; before: Figures | undefined; asked: Asked }) {
  const t = useTexts(TEXT)
  const { may } = useSession()
  const [all, setAll] = useState(false)
  const { unit, post, room } = asked
  const range = { since: figures.since, until: figures.until }
  const alerts = { list: 'alerts', query: { ...range, unit, post, room } }
  return (
    <div className="figures-grid">
      <OverTime figures={figures} before={before} exported={alerts} />
      <Panel title={t('claim')} exported={alerts}><Waits spreads={figures.claim} before={before?.claim} /></Panel>
      <Panel title={t('decide')} exported={alerts}><Waits spreads={figures.decide} before={before?.decide} /></Panel>
      <Panel title={t('shares')} exported={alerts}><Shares rules={figures.rules} all={all} onAll={setAll} /></Panel>
      <div className="stack">
        <Panel title={t('backlog')} exported={{ list: 'queue', query: { post, room } }}><Waiting backlog={figures.backlog} now={figures.now} /></Panel>
        <PostLoad figures={figures} before={before} exported={may('audit') ? { list: 'audit', query: range } : undefined} />
      </div>
      <Panel title={t('rules')}>{figures.health ? <RuleHealth health={figures.health} /> : <p className="none">{t('noHealth')}</p>}</Panel>
      <div className="stack">
        <Panel title={t('model')}>{figures.model ? <ModelHealth model={figures.model} /> : <p className="none">{t('noModel')}</p>}</Panel>
        <Panel title={t('ledgers')}>{may('audit') ? <Ledgers query={{ ...range, unit }} /> : <p className="none">{t('noAudit')}</p>}</Panel>
      </div>
    </div>
  )
}

interface Of {
  figures: Figures
  before: Figures | undefined
  exported?: React.ComponentProps<typeof Panel>['exported']
}

function OverTime({ figures, before, exported }: Of) {
  const t = useTexts(TEXT)
  const say = useTexts(categories)
  const { name } = useThemeChoice()
  const [chosen, setChosen] = useState<string | null>(null)
  const every = byCategory(figures)
  const word = (category: string) => ((CATEGORIES as string[]).includes(category) ? say(category as Category) : category)
  const shown = chosen !== null && every.some(([category]) => category === chosen) ? chosen : null
  const option = useMemo(() => {
    const bars = steps(figures, null)
    return over(PALETTES[name], bars.map(([at]) => dayAndTime(at, figures.step_ms < 86_400_000)), bars.map(([, n]) => n), shown === null ? null : steps(figures, shown).map(([, n]) => n))
  }, [figures, name, shown])
  return (
    <Panel title={t('alerts')} exported={exported} wide>
      <Big value={figures.total} unit={t('alertsUnit', { n: figures.total })} before={before && String(before.total)} />
      {figures.total === 0 ? <p className="none">{t('nothing')}</p> : (
        <div className="over">
          <Chart option={option} height={200} />
          <ul className="categories small">
            <li><button type="button" className={`plain${shown === null ? ' chosen' : ''}`} aria-pressed={shown === null} onClick={() => setChosen(null)}><span>{t('others')}</span><span>{figures.total}</span></button></li>
            {every.map(([category, n]) => (
              <li key={category}><button type="button" className={`plain${shown === category ? ' chosen' : ''}`} aria-pressed={shown === category} onClick={() => setChosen(category)}><span>{word(category)}</span><span>{n}</span></button></li>
            ))}
          </ul>
        </div>
      )}
    </Panel>
  )
}

function PostLoad({ figures, before, exported }: Of) {
  const t = useTexts(TEXT)
  const { name } = useThemeChoice()
  const records = useRecords('post')
  const { option, most, lines } = useMemo(() => {
    const titles = new Map(records?.map((each) => [each.id, (each.record as { title?: string }).title ?? each.id]))
    const { at, posts: found } = hours(figures.load)
    const days = figures.step_ms >= 86_400_000
    const named = found.map(({ post, decided }) => ({ name: titles.get(post) ?? (post || t('noPost')), decided }))
    return {
      option: posts(PALETTES[name], at.map((each) => (days ? `${dayAndTime(each, false)} ${dayAndTime(each, true)}` : dayAndTime(each, true))), named),
      lines: named.map(({ name: title, decided }, n) => ({ title, total: decided.reduce((sum, each) => sum + each, 0), ...lineOf(PALETTES[name], n) })),
      most: Math.max(0, ...figures.load.map((each) => each.decided)),
    }
  }, [figures, name, records, t])
  const total = figures.load.reduce((sum, each) => sum + each.decided, 0)
  return (
    <Panel title={t('load')} exported={exported}>
      <Big value={total} unit={`${t('loadUnit', { n: total })} · ${t('hourly', { n: most })}`} before={before && String(before.load.reduce((sum, each) => sum + each.decided, 0))} />
      {total === 0 ? <p className="none">{t('nothing')}</p> : (
        <div className="over narrow">
          <Chart option={option} height={150} />
          <ul className="lines-of small">
            {lines.map(({ title, total: n, color, type }) => <li key={title}><i style={{ borderTop: `2px ${type} ${color}` }} /><span className="one-line" title={title}>{title}</span><span>{n}</span></li>)}
          </ul>
        </div>
      )}
    </Panel>
  )
}
