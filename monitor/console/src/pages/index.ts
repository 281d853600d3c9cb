/** Every page: its address, who sees it in the navigation, and its code, which loads when it is opened. */
import type { ComponentType } from 'react'

export interface Page {
  path: string
  load: () => Promise<{ default: ComponentType }>
  /** Its word in the navigation; none: it is reached from another page. */
  nav?: 'shift' | 'queue' | 'rooms' | 'rules' | 'checks' | 'figures' | 'admin'
  /** The permission without which it is not shown, none: it is for all; the service asks again. */
  needs: string
}

export const PAGES: readonly Page[] = [
  { path: '/', nav: 'shift', needs: 'see', load: () => import('./shift') },
  { path: '/queue', nav: 'queue', needs: 'see', load: () => import('./queue') },
  { path: '/rules', nav: 'rules', needs: 'rules', load: () => import('./rules') },
  { path: '/rules/:id', needs: 'rules', load: () => import('./rules') },
  { path: '/checks', nav: 'checks', needs: 'see', load: () => import('./checks') },
  { path: '/checks/:id', needs: 'see', load: () => import('./checks') },
  { path: '/rooms', nav: 'rooms', needs: 'see', load: () => import('./rooms') },
  { path: '/rooms/:id', needs: 'see', load: () => import('./room') },
  { path: '/figures', nav: 'figures', needs: 'see', load: () => import('./figures') },
  { path: '/admin/*', nav: 'admin', needs: '', load: () => import('./admin') },
]
