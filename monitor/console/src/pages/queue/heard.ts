/** How the words of a finding came about: recognised for the time being, corrected afterwards, how surely. Pure. */
import type { ContextLine, Schemas } from '../../api/client'

export interface Heard {
  /** A result that the recogniser had not finished with. */
  interim: boolean
  /** The source corrected it: the text that was there before, or nothing where it is not known. */
  corrected: boolean
  was: string
  /** What a later correction made of it, after these words were found. */
  became: string
  /** Of the recognition, 0 to 1. */
  confidence: number | null
}

/** Interim results count down from −1, a final one is 0, corrections count up from 1. */
const age = (revision: number) => (revision < 0 ? -revision - 2 ** 31 : revision)

type Found = Pick<Schemas['Finding'], 'source' | 'event_id' | 'revision'>

export function heard(context: readonly ContextLine[], found: Found | undefined): Heard {
  const lines = context.filter((line) => found && line.source === found.source && line.event_id === found.event_id)
  const own = lines.find((line) => line.revision === found?.revision)
  const before = lines.filter((line) => own && age(line.revision) < age(own.revision) && line.text !== own.text)
    .sort((a, b) => age(b.revision) - age(a.revision))[0]
  const after = lines.filter((line) => own && age(line.revision) > Math.max(0, age(own.revision)) && line.text !== own.text)
    .sort((a, b) => age(b.revision) - age(a.revision))[0]
  const revision = found?.revision ?? 0
  return {
    interim: revision < 0, corrected: revision > 0, was: revision > 0 ? (before?.text ?? '') : '', became: after?.text ?? '',
    confidence: own?.confidence ?? null,
  }
}
