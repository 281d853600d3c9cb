import { Checkbox, Select } from 'antd'

import { useRecords, useRooms } from '../../api/records'
import { useTexts, useWord } from '../../i18n'
import { CATEGORIES, categories, platforms, SEVERITIES, severities, TIERS, tiers } from '../../i18n/words'
import type { Filter } from '../../live/board'
import { TEXT } from './text'

const NAMES = ['post', 'severity', 'category', 'tier', 'room', 'rule', 'state', 'claimed_by', 'platform'] as const
const AGES = [5, 15, 60]

/** The address says what is shown; what it says wrongly, the service refuses. */
export function filterOf(params: URLSearchParams): Filter {
  const age = Number(params.get('age'))
  const named = Object.fromEntries(NAMES.flatMap((name) => (params.get(name) ? [[name, params.get(name)]] : []))) as Filter
  return age > 0 ? { ...named, age } : named
}

export function Filters({ filter, onFilter }: { filter: Filter; onFilter: (filter: Filter) => void }) {
  const t = useTexts(TEXT)
  const severity = useWord(severities)
  const category = useWord(categories)
  const tier = useWord(tiers)
  const posts = useRecords('post') ?? []
  const rooms = useRooms()
  const platform = useWord(platforms)
  const put = (name: keyof Filter) => (value: string | number | undefined) => {
    const { [name]: _, ...rest } = filter
    onFilter((value ? { ...rest, [name]: value } : rest) as Filter)
  }
  const choice = (name: Exclude<keyof Filter, 'age'>, title: string, options: { value: string; label: string }[]) => (
    <Select key={name} size="small" allowClear showSearch={{ optionFilterProp: 'label' }} placeholder={title} aria-label={title} options={options}
      value={filter[name] ?? null} onChange={(value: string | null) => put(name)(value ?? undefined)} popupMatchSelectWidth={false} />
  )
  return (
    <div className="filters">
      {choice('post', t('post'), posts.map((each) => ({ value: each.id, label: (each.record as { title?: string }).title ?? each.id })))}
      {choice('severity', t('severity'), SEVERITIES.map((value) => ({ value, label: severity(value) })))}
      {choice('category', t('category'), CATEGORIES.map((value) => ({ value, label: category(value) })))}
      {choice('tier', t('tier'), TIERS.map((value) => ({ value, label: tier(value) })))}
      {choice('room', t('room'), [...rooms].map(([value, room]) => ({ value, label: room.title ?? value })))}
      {choice('platform', t('platformOf'), [...new Set([...rooms.values()].flatMap((room) => room.platform ?? []))].map((value) => ({ value, label: platform(value) })))}
      <Select size="small" allowClear placeholder={t('age')} aria-label={t('age')} value={filter.age ?? null} onChange={(value: number | null) => put('age')(value ?? undefined)}
        options={AGES.map((value) => ({ value, label: t('older', { n: value }) }))} popupMatchSelectWidth={false} />
      <Checkbox checked={filter.claimed_by === 'me'} onChange={(event) => put('claimed_by')(event.target.checked ? 'me' : undefined)}>{t('onlyMine')}</Checkbox>
    </div>
  )
}
