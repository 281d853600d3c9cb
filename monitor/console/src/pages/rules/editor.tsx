import { autocompletion, completionKeymap, startCompletion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { yaml } from '@codemirror/lang-yaml'
import { HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language'
import { lintGutter, nextDiagnostic, setDiagnostics, type Diagnostic } from '@codemirror/lint'
import { Compartment, EditorState, type Extension } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useImperativeHandle, useRef, type Ref } from 'react'

import { nonce } from '../../design/nonce'
import { useLanguage, useTexts } from '../../i18n'
import { offers, placeOf, type Vocabulary } from './complete'
import type { Fault } from './data'
import { TEXT } from './text'

export interface Hand {
  /** To a place (1-based), with the focus. */
  go: (line: number, column: number) => void
  focus: () => void
}

/** A YAML or plain text. What is typed is told once nothing composes. */
export function Editor({ text, faults, words, plain, hand, onChange }: {
  text: string
  faults: readonly Fault[]
  words: Vocabulary | null
  plain: boolean
  hand: Ref<Hand>
  onChange: (text: string) => void
}) {
  const t = useTexts(TEXT)
  const { language } = useLanguage()
  const box = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(null)
  const latest = useRef({ onChange, words })
  latest.current = { onChange, words }
  const spoken = useRef(new Compartment())
  const label = t('editor')

  useEffect(() => {
    const made = new EditorView({
      parent: box.current!,
      state: EditorState.create({
        doc: text,
        extensions: [...BASE, plain ? [] : [yaml(), autocompletion({ override: [(asked) => offered(asked, latest.current.words)], icons: false, defaultKeymap: false })],
          spoken.current.of([]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && !update.view.composing) latest.current.onChange(update.state.doc.toString())
          }),
          EditorView.domEventHandlers({
            compositionend: (_event, where) => {
              setTimeout(() => latest.current.onChange(where.state.doc.toString()))
            },
          })],
      }),
    })
    view.current = made
    return () => made.destroy()
    // oxlint-disable-next-line react/exhaustive-deps -- made once: what changes goes in by transactions
  }, [plain])

  useEffect(() => {
    view.current?.dispatch({ effects: spoken.current.reconfigure([
      language === 'zh' ? EditorState.phrases.of(CHINESE) : [], EditorView.contentAttributes.of({ 'aria-label': label, lang: 'zh-CN', tabindex: '0' })]) })
  }, [language, label, plain])

  useEffect(() => {
    const now = view.current
    if (!now || now.composing || now.state.doc.toString() === text) return
    now.dispatch({ changes: { from: 0, to: now.state.doc.length, insert: text } })
  }, [text])

  useEffect(() => {
    const now = view.current
    if (now) now.dispatch(setDiagnostics(now.state, faults.map((fault) => placed(now, fault))))
  }, [faults])

  useImperativeHandle(hand, () => ({
    focus: () => view.current?.focus(),
    go: (line, column) => {
      const now = view.current
      if (!now) return
      const at = offset(now, line, column)
      now.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) })
      now.focus()
    },
  }), [])
  return <div ref={box} className="rule-editor" />
}

/** Columns count code points. */
function offset(view: EditorView, line: number, column: number): number {
  const { doc } = view.state
  const { from, text } = doc.line(Math.min(Math.max(1, line), doc.lines))
  return from + Array.from(text).slice(0, column - 1).join('').length
}

function placed(view: EditorView, fault: Fault): Diagnostic {
  const from = offset(view, fault.line, fault.column)
  const line = view.state.doc.lineAt(from)
  const word = /^[^\s,[\]{}:]+/.exec(line.text.slice(from - line.from))?.[0].length ?? 0
  return { from, to: Math.min(line.to, from + Math.max(1, word)), severity: 'error', message: [fault.message, fault.hint].filter(Boolean).join(' — ') }
}

function offered(asked: CompletionContext, words: Vocabulary | null): CompletionResult | null {
  if (!words || asked.view?.composing) return null
  const place = placeOf(asked.state.doc.sliceString(0, asked.pos))
  if (!asked.explicit && !place.word && !/[:[{,]\s$|- $/.test(asked.state.doc.sliceString(Math.max(0, asked.pos - 2), asked.pos))) return null
  const options = offers(place, words).map(({ label, detail, apply }) => ({ label, detail, apply }))
  return options.length ? { from: asked.pos - place.word.length, options, validFor: /^[\w.-]*$/ } : null
}

const STYLE = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], fontWeight: '600' },
  { tag: tags.comment, color: 'var(--text3)', fontStyle: 'italic' },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: 'var(--text3)' },
])

const THEME = EditorView.theme({
  '&': { height: '100%', fontSize: '14px', backgroundColor: 'var(--panel)', color: 'var(--text1)' },
  '&.cm-focused': { outline: '2px solid var(--ink)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'ui-monospace, "SF Mono", Menlo, Consolas, "Noto Sans Mono CJK SC", "Noto Sans CJK SC", monospace', lineHeight: '22px' },
  '.cm-content': { caretColor: 'var(--text1)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--text1)' },
  '.cm-gutters': { backgroundColor: 'var(--page)', color: 'var(--text3)', borderRight: '1px solid var(--hairline)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--hover)' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': { backgroundColor: 'var(--selected)' },
  '.cm-tooltip': { backgroundColor: 'var(--panel)', color: 'var(--text1)', border: '1px solid var(--edge)', borderRadius: '6px' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--selected)', color: 'var(--text1)' },
  '.cm-completionDetail': { color: 'var(--text3)', fontStyle: 'normal' },
  '.cm-diagnostic-error': { borderLeft: '4px solid var(--ink)' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--ink) 1px', textUnderlineOffset: '4px' },
  '.cm-lint-marker-error': { content: '""', width: '10px', height: '10px', borderRadius: '50%', background: 'var(--ink)', margin: '6px 0 0 2px' },
})

const CHINESE = {
  'Control character': '控制字符', 'Diagnostics': '问题', 'No diagnostics': '没有问题', 'Completions': '补全', 'Selection deleted': '已删除所选',
  'Folded lines': '折叠的行', 'Unfolded lines': '展开的行',
}

/** Control-Space belongs to input methods. */
const BASE: Extension[] = [
  EditorView.cspNonce.of(nonce()), lineNumbers(), highlightActiveLine(), highlightActiveLineGutter(), history(), drawSelection(), lintGutter(),
  indentUnit.of('  '), EditorState.tabSize.of(2), EditorView.lineWrapping, syntaxHighlighting(STYLE), THEME,
  keymap.of([
    { key: 'Alt-/', run: startCompletion }, { key: 'F8', run: nextDiagnostic },
    ...completionKeymap.filter(({ key }) => key !== 'Ctrl-Space'), ...historyKeymap, ...defaultKeymap, indentWithTab,
  ]),
]
