import { useInfiniteQuery } from '@tanstack/react-query'
import { Button, Input } from 'antd'
import { useEffect, useState } from 'react'
import { useSearchParams } from 'react-router'

import { api, get } from '../../api/client'
import { texts, useTexts, useWord } from '../../i18n'
import { outcomes, severities, states } from '../../i18n/words'
import { when } from './kinds'
import { Waiting } from './parts'
import { deeds, facts } from './deeds'
import { sections } from './text'
import { roles } from './users'

const TEXT = texts(
  { title: '操作记录', on: '只看这个对象：预警编号、账号、room/9001', more: '更早的', empty: '没有记录', time: '时间', who: '谁', what: '做了什么', of: '对象', facts: '内容', put: '改{kind}', remove: '删{kind}', csv: '导出 CSV', xlsx: '导出 XLSX' },
  { title: 'Trail', on: 'Only of this: an alert, a login, room/9001', more: 'Earlier ones', empty: 'Nothing on record', time: 'Time', who: 'Who', what: 'What', of: 'Of', facts: 'Facts', put: '{kind}: put', remove: '{kind}: removed', csv: 'Export CSV', xlsx: 'Export XLSX' },
)
const PAGE = 100

export function Trail() {
  const t = useTexts(TEXT)
  const say = useTexts(sections)
  const word = useWord(deeds)
  const fact = useWord(facts)
  const [state, outcome, severity, role] = [useWord(states), useWord(outcomes), useWord(severities), useWord(roles)]
  const known = (value: string) => [state, outcome, severity, role].map((each) => each(value)).find((each) => each !== value) ?? value
  const [params, setParams] = useSearchParams()
  const on = params.get('on') ?? ''
  const [typed, setTyped] = useState(on)
  useEffect(() => setTyped(on), [on])
  const asked = useInfiniteQuery({
    queryKey: ['trail', on],
    initialPageParam: 2 ** 53,
    queryFn: ({ signal, pageParam }) => get(api.GET('/api/v1/audit', { params: { query: { before: pageParam, limit: PAGE, ...(on && { on }) } }, signal })),
    getNextPageParam: (last) => (last.rows.length === PAGE ? last.rows.at(-1)!.seq : undefined),
  })
  const done = (what: string, by: string) => {
    if (by === 'time' && (what === 'alert.claim' || what === 'alert.decide')) return word(what.replace('alert', 'time'))
    const [kind = '', act = ''] = what.split('.')
    return kind in sections.zh && (act === 'put' || act === 'remove') ? t(act, { kind: say(kind as 'room') }) : word(what)
  }
  const rows = asked.data?.pages.flatMap((page) => page.rows)
  const exported = (form: string) => `/api/v1/exports/audit?${new URLSearchParams({ format: form, ...(on && { on }) })}`
  return (
    <section className="whole-part">
      <div className="records-head">
        <h1 className="title">{t('title')}</h1>
        <span className="exports"><a download href={exported('csv')}>{t('csv')}</a><a download href={exported('xlsx')}>{t('xlsx')}</a></span>
      </div>
      <form onSubmit={(event) => {
        event.preventDefault()
        setParams(typed.trim() ? { on: typed.trim() } : {})
      }}><Input className="half" allowClear value={typed} placeholder={t('on')} aria-label={t('on')} onChange={(event) => setTyped(event.target.value)} /></form>
      {!rows ? <Waiting error={asked.error} again={() => void asked.refetch()} /> : rows.length === 0 ? <p className="none">{t('empty')}</p> : (
        <table className="told-table small">
          <thead><tr>{(['time', 'who', 'what', 'of', 'facts'] as const).map((name) => <th key={name}>{t(name)}</th>)}</tr></thead>
          <tbody>
            {rows.map(({ seq, deed }) => (
              <tr key={seq}>
                <td className="nowrap">{when(deed.at)}</td><td>{fact(deed.by)}</td><td className="nowrap" title={deed.what}>{done(deed.what, deed.by)}</td>
                <td><button type="button" className="plain" onClick={() => setParams({ on: deed.on })}>{deed.on}</button></td>
                <td>{Object.keys(deed.facts ?? {}).length > 0 && <details><summary className="one-line">{brief(deed.facts ?? {}, fact, known)}</summary><pre>{JSON.stringify(deed.facts, null, 1)}</pre></details>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {asked.hasNextPage && <p><Button disabled={asked.isFetchingNextPage} onClick={() => void asked.fetchNextPage()}>{t('more')}</Button></p>}
    </section>
  )
}

type Word = (name: string) => string

/** What is said there, without what is empty. */
const brief = (all: object, fact: Word, word: Word) => Object.entries(all).flatMap(([name, value]) => {
  const told = shown(name, value, word)
  return told ? [`${fact(name)} ${told}`] : []
}).join(' · ').slice(0, 120)

/** Of closed sets; a word of one may be a name elsewhere. */
const CLOSED = /^(before|after|outcome|worst|severity|role)$/
const TIMES = /_at$|^(begins|starts|ends)$/

function shown(name: string, value: unknown, word: Word): string {
  if (Array.isArray(value)) return value.map((one) => shown('', one, word)).join('、')
  if (value !== null && typeof value === 'object') return Object.entries(value).map(([key, one]) => shown(key, one, word)).filter(Boolean).join(name === '' ? '@' : ' ')
  if (TIMES.test(name)) return when(value)
  if (typeof value === 'boolean') return value ? '✓' : ''
  return value === null ? '' : CLOSED.test(name) ? word(String(value)) : String(value)
}
