import { edgeFiles, layers, platformModules } from './layers.ts'

const ours = '^(broker|electron|renderer|build|test)/'
const asRegex = (glob) => '^' + glob.replaceAll('.', '[.]').replace('/**', '/') + (glob.endsWith('/**') ? '' : '$')

const layerRules = layers.map(({ name, files, except, mayImport }) => ({
  name: `layer-${name}`,
  comment: `What ${name} may import is listed in build/layers.ts.`,
  severity: 'error',
  from: except === undefined ? { path: files } : { path: files, pathNot: except },
  to: { path: ours, pathNot: [files, ...mayImport] },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...layerRules,
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-electron-outside-electron',
      severity: 'error',
      from: { pathNot: '^(electron|node_modules)/' },
      to: { path: '(^|/)node_modules/electron(/|$)|^electron$' },
    },
    { name: 'no-node-in-renderer', severity: 'error', from: { path: '^renderer/' }, to: { dependencyTypes: ['core'] } },
    {
      name: 'platform-through-env',
      comment: 'Take disk, network, time and randomness from Env; the exceptions are listed in build/layers.ts.',
      severity: 'error',
      from: { path: '^broker/', pathNot: edgeFiles.map(asRegex) },
      to: { dependencyTypes: ['core'], path: platformModules.map((module) => `^(node:)?${module}$`) },
    },
    {
      name: 'sqlite-in-store',
      severity: 'error',
      from: { path: '^(broker|electron|renderer)/', pathNot: '^broker/store/' },
      to: { path: '(^|/)node_modules/better-sqlite3(/|$)|^better-sqlite3$' },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^(virtual:|#build/|\\?)' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(out|dist)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
    moduleSystems: ['es6', 'cjs'],
  },
}
