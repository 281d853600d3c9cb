/** Pages that somebody may open from anywhere, with their words. */
import { useSession } from '../api/session'
import { texts, useTexts } from '../i18n'
import { PAGES } from './index'

const TEXT = texts(
  { shift: '开班', queue: '队列', rooms: '直播间', rules: '规则', checks: '台本', figures: '数据', admin: '管理' },
  { shift: 'Shift', queue: 'Queue', rooms: 'Rooms', rules: 'Rules', checks: 'Scripts', figures: 'Figures', admin: 'Admin' },
)

export function usePlaces(): { path: string; name: string }[] {
  const t = useTexts(TEXT)
  const { may } = useSession()
  return PAGES.flatMap(({ path, nav, needs }) => (nav && may(needs) ? [{ path: path.replace('/*', ''), name: t(nav) }] : []))
}
