import { Navigate, NavLink, useNavigate, useParams } from 'react-router'

import { useSession } from '../../api/session'
import { useTexts } from '../../i18n'
import './admin.css'
import { Held } from './held'
import { GROUPS, isKind, shownTo } from './kinds'
import { Account } from './me'
import { Messages } from './messages'
import { Models } from './models'
import { Records } from './records'
import { sections, TEXT, type SectionName } from './text'
import { Trail } from './trail'
import { Users } from './users'

const OTHERS: Partial<Record<SectionName, () => React.JSX.Element>> = { me: Account, trail: Trail, held: Held, messages: Messages, models: Models }

export default function AdminPage() {
  const t = useTexts(TEXT)
  const say = useTexts(sections)
  const { may } = useSession()
  const navigate = useNavigate()
  const { '*': path = '' } = useParams()
  const [section = '', ...rest] = path.split('/')
  const chosen = rest.length ? decodeURIComponent(rest.join('/')) : null
  const groups = GROUPS.map(({ name, sections: every }) => ({ name, every: every.filter((each) => shownTo(each, may)) })).filter(({ every }) => every.length > 0)
  const known = groups.flatMap(({ every }) => every)
  if (!known.includes(section as SectionName)) return <Navigate replace to={`/admin/${known[0] ?? 'me'}`} />
  const choose = (id: string | null) => void navigate(`/admin/${section}${id === null ? '' : `/${encodeURIComponent(id)}`}`)
  const Other = OTHERS[section as SectionName]
  return (
    <main className="admin">
      <nav aria-label={t('sections')}>
        {groups.map(({ name, every }) => (
          <section key={name}>
            <h2 className="meta">{t(name)}</h2>
            <ul>{every.map((each) => <li key={each}><NavLink to={`/admin/${each}`}>{say(each)}</NavLink></li>)}</ul>
          </section>
        ))}
      </nav>
      <div className="admin-part" key={section}>
        {isKind(section) ? <Records kind={section} chosen={chosen} onChoose={choose} /> : section === 'users' ? <Users chosen={chosen} onChoose={choose} /> : Other ? <Other /> : null}
      </div>
    </main>
  )
}
