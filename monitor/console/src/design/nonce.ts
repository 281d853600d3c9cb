/** The page's nonce, which every style element needs: the policy allows no other. */
export const nonce = (): string =>
  document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? ''

/** Ant Design measures scrollbars by style elements of its own, without a nonce. */
export function nonced(): void {
  const create = document.createElement.bind(document)
  document.createElement = ((name: string, options?: ElementCreationOptions) => {
    const made = create(name, options)
    if (name.toLowerCase() === 'style') made.setAttribute('nonce', nonce())
    return made
  }) as typeof document.createElement
}
