import { defineConfig } from 'oxlint'
import { edgeFiles, platformGlobals } from './build/layers.ts'

export default defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'vitest', 'vue'],
  categories: { correctness: 'error' },
  ignorePatterns: ['out/**', 'dist/**', 'node_modules/**', '**/*.d.ts'],
  rules: {
    eqeqeq: ['error', 'always', { null: 'ignore' }],
    'no-var': 'error',
    'prefer-const': 'error',
    'no-console': 'error',
    'no-throw-literal': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': ['error', { checksVoidReturn: false }],
    'typescript/await-thenable': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/no-explicit-any': 'error',
    'typescript/ban-ts-comment': 'error',
    'typescript/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
    'typescript/no-misused-spread': 'off',
    'typescript/require-array-sort-compare': 'off',
    'typescript/restrict-template-expressions': 'off',
    'typescript/no-base-to-string': 'off',
    'unicorn/no-thenable': 'off',
    // A copy is taken where the collection changes while it is walked.
    'unicorn/no-useless-spread': 'off',
    'unicorn/no-new-array': 'off',
    'unicorn/no-empty-file': 'error',
    'vitest/expect-expect': 'off',
    'vitest/no-conditional-expect': 'off',
    'vitest/no-conditional-tests': 'off',
    'vitest/no-standalone-expect': 'off',
    'vitest/require-to-throw-message': 'off',
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    'vitest/require-mock-type-parameters': 'off',
    'vitest/warn-todo': 'error',
    'vitest/no-focused-tests': 'error',
    'vitest/no-disabled-tests': 'error',
    'max-lines': ['error', { max: 450, skipBlankLines: true, skipComments: true }],
    'max-lines-per-function': 'off',
  },
  overrides: [
    {
      files: ['broker/**/*.ts'],
      rules: {
        'no-restricted-globals': ['error', ...Object.entries(platformGlobals).map(([name, message]) => ({ name, message }))],
        'no-restricted-properties': [
          'error',
          { object: 'Date', property: 'now', message: 'Use env.clock.nowMs().' },
          { object: 'Math', property: 'random', message: 'Use env.random.' },
        ],
      },
    },
    { files: [...edgeFiles], rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' } },
    { files: ['broker/cli/**', 'build/**', 'test/**'], rules: { 'no-console': 'off' } },
    { files: ['build/check-node.mjs'], rules: { 'no-var': 'off' } },
    // Some of the schemas' types are parameters on both sides, where only `any` stands for "whichever".
    {
      files: [
        'broker/wire/schema.ts',
        'broker/wire/codec.ts',
        'broker/api/context.ts',
        'broker/api/registry.ts',
        'broker/net/request-channel.ts',
      ],
      rules: { 'typescript/no-explicit-any': 'off' },
    },
    { files: ['test/**'], rules: { 'max-lines': 'off', 'typescript/no-explicit-any': 'off', 'typescript/unbound-method': 'off' } },
    {
      files: ['electron/**/*.ts'],
      rules: {
        'no-restricted-properties': [
          'error',
          { object: 'shell', property: 'openExternal', message: 'External links leave through electron/external-links.ts.' },
        ],
      },
    },
    { files: ['electron/external-links.ts'], rules: { 'no-restricted-properties': 'off' } },
  ],
})
