/** A routing tree as YAML, told with its line where it cannot be read. */
import { Input } from 'antd'
import { useState } from 'react'

import { texts, useTexts } from '../../i18n'
import type { InputOf } from './inputs'
import { TEXT } from './text'
import { read, written, YamlFault, type Node } from './yaml'

const WHY = texts(
  { tab: '缩进用空格，不用制表符', indent: '缩进对不上', key: '写成“键: 值”', twice: '同一个键写了两次', bracket: '括号没有收尾', quote: '引号没有收尾', tree: '写成“键: 值”' },
  { tab: 'indent with spaces, not tabs', indent: 'the indent fits nothing above', key: 'write "key: value"', twice: 'this key stands here twice', bracket: 'the bracket does not end', quote: 'the quotes do not end', tree: 'write "key: value"' },
)

/** What the service fills in is not shown. */
function bare(node: Node): Node {
  if (Array.isArray(node)) return node.map(bare)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(Object.entries(node).filter(([key, value]) => !(value === false || value === 0 || value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0 && key !== 'routes') || (key === 'routes' && Array.isArray(value) && value.length === 0)))
    .map(([key, value]) => [key, bare(value)]))
}

export function TreeInput({ id, value, onChange, disabled, wrong }: InputOf) {
  const t = useTexts(TEXT)
  const why = useTexts(WHY)
  const [source, setSource] = useState(() => (value ? written(bare(value as Node)) : 'post: \nroutes:\n  - match: {category: [minors]}\n    post: '))
  const [fault, setFault] = useState('')
  const change = (next: string) => {
    setSource(next)
    try {
      const found = read(next)
      if (typeof found !== 'object' || found === null || Array.isArray(found)) throw new YamlFault(1, 'tree')
      setFault('')
      onChange(plain(found))
    } catch (error) {
      if (!(error instanceof YamlFault)) throw error
      setFault(t('lineAt', { n: error.line, why: why(error.message as 'tab') }))
      onChange(undefined) // what cannot be read cannot be saved
    }
  }
  return (
    <>
      <Input.TextArea id={id} className="code" spellCheck={false} disabled={disabled} value={source} rows={18} {...((fault || wrong) && { status: 'error' })}
        aria-describedby={`${id}-fault`} onChange={(event) => change(event.target.value)} />
      <p id={`${id}-fault`} role="alert" className="fault">{fault}</p>
    </>
  )
}

/** A key without a value is one that says nothing. */
function plain(node: Node): Node {
  if (Array.isArray(node)) return node.map(plain)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(Object.entries(node).filter(([, value]) => value !== null).map(([key, value]) => [key, plain(value)]))
}
