/** A list of terms as rows and back; a file's comments stay where they are. Pure. */

export interface Term {
  line: number
  term: string
  remark: string
}

const COMMENT = /(?:^|\s)#.*/

/** Terms, each with its line (0-based) and what its comment says. */
export function termsOf(text: string): Term[] {
  return text.split('\n').flatMap((whole, line) => {
    const comment = COMMENT.exec(whole)?.[0] ?? ''
    const term = whole.slice(0, whole.length - comment.length).trim()
    return term ? [{ line, term, remark: comment.replace(/^\s*#\s*/, '') }] : []
  })
}

/** What a spreadsheet puts into the clipboard: the first column is the term, the second the remark. Quoted cells are unquoted; one of several lines is one. */
export function pastedTerms(pasted: string): { term: string; remark: string }[] {
  const bare = pasted.replaceAll(/(^|[\t\n])"((?:[^"]|"")*)"(?=[\t\r\n]|$)/g, (_, before: string, cell: string) => before + cell.replaceAll('""', '"').replaceAll(/\s+/g, ' '))
  return bare.split(/\r?\n/).flatMap((row) => {
    const [term = '', remark = ''] = row.split('\t').map((cell) => cell.trim().replaceAll(/\s+/g, ' '))
    return term ? [{ term, remark }] : []
  })
}

/** The text with what was pasted at its end, each term once; how many came, how many were there. */
export function withTerms(text: string, pasted: string): { text: string; added: number; known: number } {
  const have = new Set(termsOf(text).map(({ term }) => term))
  const lines: string[] = []
  let known = 0
  for (const { term, remark } of pastedTerms(pasted)) {
    if (have.has(term)) known++
    else {
      have.add(term)
      lines.push(remark ? `${term}  # ${remark}` : term)
    }
  }
  const end = text && !text.endsWith('\n') ? '\n' : ''
  return { text: lines.length ? `${text}${end}${lines.join('\n')}\n` : text, added: lines.length, known }
}

export function withoutLine(text: string, line: number): string {
  return text.split('\n').filter((_, n) => n !== line).join('\n')
}
