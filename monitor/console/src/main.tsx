import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRoot } from 'react-dom/client'

import { Refusal } from './api/client'
import { App } from './app'
import './design/base.css'
import { nonced } from './design/nonce'
import { LanguageProvider } from './i18n'

nonced()

const client = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (tries, error) => error instanceof Refusal && error.unreached && tries < 3,
      refetchOnWindowFocus: false,
      networkMode: 'always', // the stream and a failed request tell the truth about the line, not the browser
    },
    mutations: { networkMode: 'always' },
  },
})

createRoot(document.getElementById('root')!).render(
  <QueryClientProvider client={client}>
    <LanguageProvider>
      <App />
    </LanguageProvider>
  </QueryClientProvider>,
)
