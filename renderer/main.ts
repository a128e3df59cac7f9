import ui from '@nuxt/ui/vue-plugin'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './app.vue'
import { connectToHost, setHost } from './client/host.ts'
import { createAppRouter } from './router.ts'
import './styles/main.css'

/** `?gallery=<scene>` shows the same screen on a stand-in host made of fixtures: every state, without a cluster. */
async function start(): Promise<void> {
  if (window.location.pathname === '/gallery') window.history.replaceState(null, '', `/${window.location.search}#/gallery`)
  const scene = new URLSearchParams(window.location.search).get('gallery')
  setHost(scene === null ? connectToHost() : (await import('./gallery/stand-in-host.ts')).createStandInHost(scene))
  const app = createApp(App)
  app.use(createPinia())
  app.use(createAppRouter())
  app.use(ui)
  app.mount('#app')
}

void start()
