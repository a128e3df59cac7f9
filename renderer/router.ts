import { createRouter, createWebHashHistory, type Router, type RouteRecordRaw } from 'vue-router'

/**
 * Every view has an address. The hash carries it, so the same files work under `app://`, from any web server and after a reload.
 * The title is what the window and the history call the view.
 */
const clusterRoutes: RouteRecordRaw[] = [
  { path: '', redirect: (to) => ({ name: 'overview', params: to.params }) },
  {
    path: 'overview',
    name: 'overview',
    component: () => import('./pages/overview/overview-page.vue'),
    meta: { title: 'Overview', place: 'overview' },
  },
  { path: 'topics', name: 'topics', component: () => import('./pages/topics/topics-page.vue'), meta: { title: 'Topics', place: 'topics' } },
  {
    path: 'topics/:topic',
    component: () => import('./pages/topic/topic-page.vue'),
    meta: { place: 'topics' },
    children: [
      { path: '', redirect: (to) => ({ name: 'topic-messages', params: to.params }) },
      {
        path: 'messages',
        name: 'topic-messages',
        component: () => import('./pages/messages/messages-page.vue'),
        meta: { title: 'Messages' },
      },
      {
        path: 'partitions',
        name: 'topic-partitions',
        component: () => import('./pages/topic/partitions-tab.vue'),
        meta: { title: 'Partitions' },
      },
      {
        path: 'consumers',
        name: 'topic-consumers',
        component: () => import('./pages/topic/consumers-tab.vue'),
        meta: { title: 'Consumers' },
      },
      { path: 'settings', name: 'topic-settings', component: () => import('./pages/topic/settings-tab.vue'), meta: { title: 'Settings' } },
    ],
  },
  { path: 'groups', name: 'groups', component: () => import('./pages/groups/groups-page.vue'), meta: { title: 'Groups', place: 'groups' } },
  {
    path: 'groups/:group',
    name: 'group',
    component: () => import('./pages/groups/group-page.vue'),
    meta: { title: 'Group', place: 'groups' },
  },
  {
    path: 'brokers',
    name: 'brokers',
    component: () => import('./pages/brokers/brokers-page.vue'),
    meta: { title: 'Brokers', place: 'brokers' },
  },
]

export const routes: RouteRecordRaw[] = [
  { path: '/', name: 'home', component: () => import('./pages/home-page.vue'), meta: { title: 'Weir' } },
  { path: '/c/:cluster', component: () => import('./pages/cluster-page.vue'), children: clusterRoutes },
  {
    path: '/activity',
    name: 'activity',
    component: () => import('./pages/activity/activity-page.vue'),
    meta: { title: 'Activity', place: 'activity' },
  },
  {
    path: '/settings',
    name: 'settings',
    component: () => import('./pages/settings/settings-page.vue'),
    meta: { title: 'Settings', place: 'settings' },
  },
  { path: '/gallery', name: 'gallery', component: () => import('./gallery/gallery-page.vue'), meta: { title: 'Gallery', bare: true } },
  { path: '/:rest(.*)*', name: 'lost', component: () => import('./pages/lost-page.vue'), meta: { title: 'Not found' } },
]

const RELOADED_KEY = 'weir.reloaded'
const RELOAD_PAUSE_MS = 10_000

/** After an upgrade, the files an open window still asks for are gone: the new ones are loaded, at most once in a while. */
function reloadForNewFiles(error: unknown, address: string): void {
  const isMissingFile = error instanceof Error && /dynamically imported module|preload CSS/i.test(error.message)
  const reloadedMs = Number(sessionStorage.getItem(RELOADED_KEY) ?? 0)
  if (!isMissingFile || Date.now() - reloadedMs < RELOAD_PAUSE_MS) return
  sessionStorage.setItem(RELOADED_KEY, String(Date.now()))
  window.location.hash = address
  window.location.reload()
}

export function createAppRouter(): Router {
  const router = createRouter({ history: createWebHashHistory(), routes })
  router.afterEach((to) => {
    const subject = [to.params['topic'], to.params['group']].flat().find((name) => typeof name === 'string' && name !== '')
    document.title = [subject, to.meta['title'], 'Weir']
      .filter((part, index, all) => typeof part === 'string' && all.indexOf(part) === index)
      .join(' · ')
  })
  router.onError((error, to) => reloadForNewFiles(error, to.fullPath))
  return router
}
