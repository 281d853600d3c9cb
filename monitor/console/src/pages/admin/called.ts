/** What people call a record, by the titles of those that it is about. */
import { useMemo } from 'react'

import { useRecords } from '../../api/records'
import { DESCRIBED, type Kind, type Values } from './kinds'

export function useCalled(kind: Kind): (id: string, record: Values) => string {
  const { after, called } = DESCRIBED[kind]
  const others = useRecords(after ?? kind)
  return useMemo(() => {
    const titles = new Map(after ? others?.map((each) => [each.id, (each.record as { title?: string } | null)?.title]) : [])
    return (id, record) => called(record, (other) => titles.get(other) || other, id) || id
  }, [others, after, called])
}
