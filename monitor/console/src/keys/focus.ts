import { useEffect, useLayoutEffect, useState, type RefObject } from 'react'

/** While it is shown the focus is in `box` (with `tabIndex={-1}`), on its field where it has one: Enter would belong to
 * whatever was pressed before. Then it goes back. */
export function useFocusIn(box: RefObject<HTMLElement | null>): void {
  const [before] = useState(() => document.activeElement)
  useLayoutEffect(() => (box.current?.querySelector<HTMLElement>('.field input') ?? box.current)?.focus({ preventScroll: true }), [box])
  useEffect(() => () => {
    if (before instanceof HTMLElement && before.isConnected && document.activeElement === document.body) before.focus({ preventScroll: true })
  }, [before])
}
