import './check-node.mjs'

const { bundle } = await import('./bundle.ts')
await bundle('all', 'info')
