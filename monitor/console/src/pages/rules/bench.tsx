import { useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'

import { api, get, Refusal, told } from '../../api/client'
import { useTexts } from '../../i18n'
import { categories, LEVEL_OF, severities, tiers, type SeverityName } from '../../i18n/words'
import { useKeys } from '../../keys'
import { dayAndTime } from '../../parts/clock'
import type { Vocabulary } from './complete'
import { keepDraft, useDrafts, useRefresh, useSettled, useWords, type FileView, type RuleRow } from './data'
import { DryRunPanel, useDryRunOf } from './dryrun'
import { Editor, type Hand } from './editor'
import { ExceptionsPanel } from './exceptions'
import { FaultsPanel } from './faults'
import { percent } from './list'
import { shareOf } from './order'
import { Publish } from './publish'
import { ShadowPanel } from './shadow'
import { Terms } from './terms-table'
import { TEXT } from './text'
import { Trial } from './trial'
import { VersionsPanel } from './versions'

type Panel = 'faults' | 'dry' | 'shadow' | 'versions' | 'exceptions'

/** One file: its text, what is wrong with it, what it makes of words, and its way to the judges. */
export function Bench({ path, file, rule, fresh }: { path: string; file: FileView | null; rule: RuleRow | undefined; fresh: string }) {
  const t = useTexts(TEXT)
  const draft = useDrafts().get(path)
  const kept = file?.text ?? fresh
  const text = draft?.text ?? kept
  const base = draft?.base ?? file?.latest ?? 0
  const changed = draft !== undefined && draft.text !== kept
  const words = useVocabulary()
  const hand = useRef<Hand>(null)
  const [panel, setPanel] = useState<Panel>('faults')
  const [asTable, setTable] = useState(path.endsWith('.txt'))
  const change = useCallback((next: string) => keepDraft(path, next === kept ? null : { text: next, base }), [path, kept, base])

  const asked = useMemo(() => ({ path, text }), [path, text])
  const lint = useCallback((of: typeof asked, signal: AbortSignal) => get(api.POST('/api/v1/rules/lint', { body: of, signal })), [])
  const linted = useSettled(asked, 400, lint)
  const faults = linted.answer?.faults ?? NONE
  const run = useDryRunOf(path)
  const saving = useSaving(path, text, base, file)
  useKeys({ saveRule: () => void saving.save('') }, ['rules'])
  const own = useMemo(() => faults.filter((fault) => fault.path === path), [faults, path])
  const tried = rule?.status === 'shadow'
  const good = linted.answer !== null && !faults.length && !linted.busy
  return (
    <>
      <section className={`bench${panel === 'faults' ? '' : ' tall'}`} aria-label={path}>
        <Head path={path} file={file} rule={rule} changed={changed} />
        <div className="bench-text">
          {path.endsWith('.txt') && <div className="switch small"><button type="button" className="plain" aria-pressed={!asTable} onClick={() => setTable(false)}>{t('asText')}</button><button type="button" className="plain" aria-pressed={asTable} onClick={() => setTable(true)}>{t('asTable')}</button></div>}
          {asTable ? <Terms text={text} onChange={change} /> : <Editor text={text} faults={own} words={words} plain={path.endsWith('.txt')} hand={hand} onChange={change} />}
        </div>
        <div className="bench-panel">
          <div className="switch" role="group">
            <button type="button" className="plain" aria-pressed={panel === 'faults'} onClick={() => setPanel('faults')}>{t('faults')} {linted.busy ? '…' : faults.length || ''}{good && (linted.answer?.cases ?? 0) > 0 && <span className="meta"> {t('casesOk', { ok: linted.answer!.cases! - (linted.answer!.failed?.length ?? 0), n: linted.answer!.cases! })}</span>}</button>
            <button type="button" className="plain" aria-pressed={panel === 'dry'} onClick={() => setPanel('dry')}>{t('dryRun')}{run.data?.state === 'running' && ` ${percent(run.data.done ?? 0)}`}</button>
            {tried && <button type="button" className="plain" aria-pressed={panel === 'shadow'} onClick={() => setPanel('shadow')}>{t('shadowTab')} {rule?.figures.shadow || ''}</button>}
            <button type="button" className="plain" aria-pressed={panel === 'versions'} onClick={() => setPanel('versions')}>{t('versions')} {file?.editions.length || ''}</button>
            {rule && <button type="button" className="plain" aria-pressed={panel === 'exceptions'} onClick={() => setPanel('exceptions')}>{t('exceptions')}</button>}
          </div>
          {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it is scrolled by keys */}
          <div className="bench-panel-body" tabIndex={0} role="region" aria-label={t(({ faults: 'faults', dry: 'dryRun', shadow: 'shadowTab', versions: 'versions', exceptions: 'exceptions' } as const)[panel])}>
            {panel === 'faults' && <FaultsPanel path={path} linted={linted.answer} busy={linted.busy} trouble={linted.trouble} onGo={(line, column) => {
              setTable(false)
              setTimeout(() => hand.current?.go(line, column))
            }} />}
            {panel === 'dry' && <DryRunPanel path={path} text={text} run={run} ready={good} />}
            {panel === 'shadow' && tried && rule && <ShadowPanel rule={rule} text={text} onTake={change} />}
            {panel === 'exceptions' && rule && <ExceptionsPanel rule={rule.id} />}
            {panel === 'versions' && file && <VersionsPanel file={file} text={text} onTake={(version) => change(version)} />}
          </div>
        </div>
        <Bar file={file} changed={changed || (!file && !!text.trim())} good={good} saving={saving} onRun={() => setPanel('dry')} onRevert={() => keepDraft(path, null)}
          text={text} path={path} run={run} onCompare={() => setPanel('versions')} />
      </section>
      <Trial path={path} text={text} />
    </>
  )
}

const NONE: never[] = []

function Head({ path, file, rule, changed }: { path: string; file: FileView | null; rule: RuleRow | undefined; changed: boolean }) {
  const t = useTexts(TEXT)
  const severity = useTexts(severities)
  const category = useTexts(categories)
  const tier = useTexts(tiers)
  const name = (version: number) => (version ? t('version', { v: version }) : t('folder'))
  const share = rule ? shareOf(rule) : null
  return (
    <header className="bench-head">
      <h1 className="title one-line">
        {rule && <><span className={`chip sev sev-${LEVEL_OF[rule.severity as SeverityName]}`}>{LEVEL_OF[rule.severity as SeverityName]} {severity(rule.severity as SeverityName)}</span> </>}
        {rule?.title ?? path.split('/').at(-1)} {changed && <span className="chip inverse">{t('unsaved')}</span>}
      </h1>
      <p className="meta one-line">{rule && `${rule.id} · `}{path}{file && <> · {file.loaded ? t('judging', { v: name(file.version ?? 0) }) : t('notLoaded')}{file.latest > file.version && ` · ${t('newest', { v: file.latest })}`}</>}</p>
      {rule && (
        <p className="small one-line">
          {tier(rule.tier as never)} · {rule.category.map((each) => category(each as never)).join('、')} · {rule.clauses.join(' ')} · {rule.status === 'shadow' ? t('shadowFigure', { n: rule.figures.shadow ?? 0 }) : t('figures', {
            hits: rule.figures.hits ?? 0, alerts: rule.figures.alerts ?? 0, decided: rule.figures.decided ?? 0, share: share === null ? '–' : percent(share) })}
        </p>
      )}
    </header>
  )
}

function useVocabulary(): Vocabulary | null {
  const { data } = useWords()
  const category = useTexts(categories)
  const severity = useTexts(severities)
  const tier = useTexts(tiers)
  return useMemo(() => {
    if (!data) return null
    const named: Record<string, string> = {}
    for (const each of data.categories) named[each] = category(each as never)
    for (const each of ['critical', 'high', 'medium', 'low', 'info'] as const) named[each] = severity(each)
    for (const each of ['redline', 'standard', 'orientation', 'care'] as const) named[each] = tier(each)
    return { schema: data.schema as Vocabulary['schema'], clauses: data.clauses, contexts: data.contexts, named }
  }, [data, category, severity, tier])
}

interface Saving {
  save: (note: string, over?: number) => Promise<void>
  busy: boolean
  said: string
  conflict: FileView | null
  /** The conflict is settled: the newer version stands. */
  giveWay: () => void
}

function useSaving(path: string, text: string, base: number, file: FileView | null): Saving {
  const t = useTexts(TEXT)
  const refresh = useRefresh(path)
  const client = useQueryClient()
  const [state, setState] = useState({ busy: false, said: '', conflict: null as FileView | null })
  const save = async (note: string, over?: number) => {
    if (state.busy || (file && text === file.text && over === undefined)) return
    setState({ busy: true, said: t('saving'), conflict: null })
    try {
      const made = await get(api.PUT('/api/v1/rules/file', { body: { path, text, base: over ?? base, note } }))
      await refresh()
      keepDraft(path, null)
      setState({ busy: false, said: t('saved', { v: made.version, ok: (made.cases ?? 0) - (made.failed ?? 0), n: made.cases ?? 0 }), conflict: null })
    } catch (error) {
      const theirs = error instanceof Refusal && error.status === 409
        ? await client.fetchQuery({ queryKey: ['rule-file', path, 'newest'], queryFn: () => get(api.GET('/api/v1/rules/file', { params: { query: { path } } })), staleTime: 0 }) : null
      setState({ busy: false, said: theirs ? '' : t('trouble', { why: told(error) }), conflict: theirs })
    }
  }
  return { ...state, save, giveWay: () => setState({ busy: false, said: '', conflict: null }) }
}

function Bar({ file, path, text, changed, good, saving, run, onRun, onRevert, onCompare }: {
  file: FileView | null
  path: string
  text: string
  changed: boolean
  good: boolean
  saving: Saving
  run: ReturnType<typeof useDryRunOf>
  onRun: () => void
  onRevert: () => void
  onCompare: () => void
}) {
  const t = useTexts(TEXT)
  const [note, setNote] = useState('')
  useEffect(() => setNote(''), [file?.latest])
  const said = changed || file?.latest !== file?.version ? saving.said : ''
  const waiting = file?.releases.find((each) => each.state === 'waiting')
  if (saving.conflict) {
    const theirs = saving.conflict.editions[0]
    return (
      <footer className="bench-bar" role="alert">
        <span>{t('conflict', { who: theirs?.by ?? '' })}</span>
        <button type="button" className="act" onClick={onCompare}>{t('diff')}</button>
        <button type="button" className="act" onClick={() => void saving.save(note, saving.conflict!.latest)}>{t('keepMine')}</button>
        <button type="button" className="act" onClick={() => {
          onRevert()
          saving.giveWay()
        }}>{t('takeTheirs')}</button>
      </footer>
    )
  }
  return (
    <footer className="bench-bar">
      {changed
        ? (
          <>
            <button type="button" className="act" disabled={saving.busy || !good} onClick={() => void saving.save(note)}><kbd>⌃S</kbd> {t('save')}</button>
            <input className="bench-note" value={note} maxLength={200} placeholder={t('note')} aria-label={t('note')} onChange={(event) => setNote(event.target.value)} />
            <button type="button" className="plain" onClick={onRevert}>{t('revert')}</button>
          </>
        )
        : file && <Publish file={file} path={path} good={good} />}
      <button type="button" className="act" disabled={!good || run.data?.state === 'running'} onClick={() => {
        onRun()
        void run.start(text, 2)
      }}>{t('dry2')}</button>
      <span role="status" className="small bench-said">{said}</span>
      {waiting && !changed && <span className="meta">{t('waiting', { v: waiting.version, t: dayAndTime(waiting.due) })}</span>}
    </footer>
  )
}
