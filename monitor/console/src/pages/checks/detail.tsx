import { useTexts } from '../../i18n'
import { categories, LEVEL_OF, severities, tiers } from '../../i18n/words'
import type { Clause } from './data'
import type { Offer } from './draft'
import type { Stop } from './stops'
import { TEXT } from './text'

/** Everything about the finding where the cursor is. */
export function Detail({ stop, at, of, clauses, offers, onOffer }: {
  stop: Stop | undefined
  at: number
  of: number
  clauses: ReadonlyMap<string, Clause>
  offers: readonly Offer[]
  onOffer: (line: number, offer: Offer) => void
}) {
  const t = useTexts(TEXT)
  const severity = useTexts(severities)
  const category = useTexts(categories)
  const tier = useTexts(tiers)
  if (!stop) return <aside className="finding" aria-label={t('detail')}><p className="empty">{of ? t('pick') : t('nothing')}</p></aside>
  const { finding, line } = stop
  const level = LEVEL_OF[finding.severity]
  const exempt = clauses.get(finding.exempt)
  return (
    <aside className="finding" aria-label={t('detail')}>
      <p className="meta">{t('all', { n: at + 1, m: of })} · {line ? t('lineNo', { n: line }) : t('missingHere')} · {tier(finding.tier as never)}</p>
      <h2 className="title"><span className={`chip sev sev-${level}`}>{level} {severity(finding.severity)}</span> {finding.title}</h2>
      <p className="small">{finding.category.map((each) => category(each as never)).join('、')} {finding.evasive && <span className="chip">{t('disguised')}</span>}</p>
      {finding.advice.say && <><h3 className="meta">{t('advice')}</h3><p>{finding.advice.say}</p></>}
      {offers.length > 0 && <h3 className="meta">{t('rewrite')}</h3>}
      {offers.map((offer, i) => (
        <button key={offer.from + offer.to} type="button" className="offer-whole" onClick={() => onOffer(line, offer)}>
          {i === 0 && <kbd>Y</kbd>} <span><s>{offer.from}</s> → <strong>{offer.to || t('nothingThere')}</strong></span>
        </button>
      ))}
      {finding.clauses.length > 0 && <h3 className="meta">{t('clause')}</h3>}
      {finding.clauses.map((id) => <ClauseText key={id} id={id} clause={clauses.get(id)} unverified={finding.unverified.includes(id)} lapsed={finding.not_in_force.includes(id)} />)}
      {finding.also?.length ? <h3 className="meta">{t('also')}</h3> : null}
      {finding.also?.map((other) => (
        <div key={other.id}>
          <p className="small"><span className={`chip sev sev-${LEVEL_OF[other.severity]}`}>{LEVEL_OF[other.severity]} {severity(other.severity)}</span> {other.title}</p>
          {other.clauses.filter((id) => !finding.clauses.includes(id)).map((id) => (
            <ClauseText key={id} id={id} clause={clauses.get(id)} unverified={other.unverified.includes(id)} lapsed={other.not_in_force.includes(id)} />
          ))}
        </div>
      ))}
      {finding.exempt && <p className="small">{t('exempt', { clause: exempt ? `《${exempt.document.replaceAll(/[《》]/g, '')}》${exempt.article}` : finding.exempt })}</p>}
    </aside>
  )
}

function ClauseText({ id, clause, unverified, lapsed }: { id: string; clause: Clause | undefined; unverified: boolean; lapsed: boolean }) {
  const t = useTexts(TEXT)
  return (
    <div className="clause-of small">
      <strong>{clause ? `《${clause.document.replaceAll(/[《》]/g, '')}》${clause.article}` : id}</strong>{' '}
      {unverified && <span className="chip">{t('unverified')}</span>} {lapsed && <span className="chip inverse">{t('notInForce')}</span>}
      {clause && <p>{clause.requirement}</p>}
    </div>
  )
}
