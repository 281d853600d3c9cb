/** The rows of a check, and where `j` and `k` stop in them. Pure. */
import type { Check, Finding } from './data'

export type Row =
  | { kind: 'missing'; key: string; finding: Finding }
  | { kind: 'line'; key: string; line: number; text: string; findings: readonly Finding[] }
  | { kind: 'rejected'; key: string; line: number; why: string }

export interface Stop {
  finding: Finding
  /** 0: of the whole script. */
  line: number
}

/** What the script lacks, its lines, and what was no text. */
export function rowsOf({ details }: Check): Row[] {
  return [
    ...details.missing.map((finding): Row => ({ kind: 'missing', key: `m${finding.id}`, finding })),
    ...details.lines.map(({ line, text, findings }): Row => ({ kind: 'line', key: `l${line}`, line, text, findings })),
    ...details.rejected.map(({ line, reason }): Row => ({ kind: 'rejected', key: `r${line}`, line, why: reason })),
  ]
}

export const stopsOf = ({ details }: Check): Stop[] => [
  ...details.missing.map((finding) => ({ finding, line: 0 })),
  ...details.lines.flatMap(({ line, findings }) => findings.map((finding) => ({ finding, line }))),
]

export const rowOfStop = (rows: readonly Row[], stop: Stop | undefined): number =>
  rows.findIndex((row) => stop !== undefined && (row.kind === 'missing' ? stop.line === 0 && row.finding === stop.finding : row.kind === 'line' && row.line === stop.line))
