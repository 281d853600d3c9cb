/** No visible words outside the tables: read from the syntax of every component. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

const SRC = join(import.meta.dirname, '..')
/** Attributes that are shown or read out. */
const SHOWN = new Set(['title', 'aria-label', 'placeholder', 'alt', 'label', 'addonAfter', 'addonBefore', 'tooltip', 'okText', 'cancelText', 'message', 'description', 'emptyText', 'extra', 'suffix', 'prefix'])
/** Names of things that are the same in all languages. */
const NAMES = /^(redpost( ·)?|English|中文|HTTP|CSV|XLSX|YAML|JSON|OBS|Esc|Enter|Ctrl|Alt|Shift|Tab|Space|zh-CN|en|px|ms|s|min|h|EN|txt|yml|YYYY-MM-DD.*)$/
const WORDS = /\p{L}{2,}|\p{Script=Han}/u

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : entry.name.endsWith('.tsx') ? [join(folder, entry.name)] : [])
}

/** Literals that an expression may come to: of `a ? 'x' : 'y'` and `a ?? 'x'` both ends, of a call or a comparison none. */
function literals(node: ts.Node): ts.Node[] {
  if (ts.isStringLiteralLike(node)) return [node]
  if (ts.isTemplateExpression(node)) return [node.head, ...node.templateSpans.map((span) => span.literal)]
  if (ts.isConditionalExpression(node)) return [...literals(node.whenTrue), ...literals(node.whenFalse)]
  if (ts.isBinaryExpression(node)) {
    const sign = node.operatorToken.getText()
    return ['??', '||', '+'].includes(sign) ? [...literals(node.left), ...literals(node.right)] : sign === '&&' ? literals(node.right) : []
  }
  if (ts.isParenthesizedExpression(node) || ts.isJsxExpression(node)) return node.expression ? literals(node.expression) : []
  return []
}

function untranslated(name: string, text: string): string[] {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX)
  const found: string[] = []
  const look = (node: ts.Node, words: string) => {
    if (!WORDS.test(words) || NAMES.test(words.trim())) return
    found.push(`${name}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${words.trim().slice(0, 60)}`)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) look(node, node.text)
    else if (ts.isJsxExpression(node) && (ts.isJsxElement(node.parent) || ts.isJsxFragment(node.parent))) {
      for (const one of literals(node)) look(one, (one as ts.LiteralLikeNode).text)
    } else if (ts.isJsxAttribute(node) && SHOWN.has(node.name.getText()) && node.initializer) {
      for (const one of literals(node.initializer)) look(one, (one as ts.LiteralLikeNode).text)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

test('what is shown comes from the tables', () => {
  const read = files(SRC)
  expect(read.length).toBeGreaterThan(40)
  expect(read.flatMap((file) => untranslated(relative(SRC, file), readFileSync(file, 'utf8')))).toEqual([])
})

test('the reading finds what it is to find', () => {
  const bad = "const a = (x: boolean) => <p title=\"Close\" aria-label={x ? 'Open it' : '关闭'}>Hello {x ? 'there' : ''} {`of ${1} rooms`} <b>中</b></p>"
  expect(untranslated('bad.tsx', bad).map((line) => line.split(': ')[1])).toEqual(['Close', 'Open it', '关闭', 'Hello', 'there', 'of', 'rooms', '中'])
  expect(untranslated('good.tsx', "const a = <p className=\"wide\" title={t('queue.title')}>{t('x')} · {n} ms {known ? t('a') : `${n}`}</p>")).toEqual([])
})
