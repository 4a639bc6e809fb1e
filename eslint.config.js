import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      'build/**',
      '**/dist/**',
      '**/node_modules/**',
      'test/fixtures/**',
      'site/**',
      'coverage/**',
      '.docs-*/**',
    ],
  },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    // Rules that ask for types are oxlint's, in .oxlintrc.json. What is imported for a decorator's metadata is not only a type.
    languageOptions: { parserOptions: { experimentalDecorators: true, emitDecoratorMetadata: true } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      // The compiler says so: noUnusedLocals, noUnusedParameters.
      '@typescript-eslint/no-unused-vars': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MethodDefinition[kind="constructor"] > FunctionExpression[params.length>5]',
          message: 'A constructor takes at most five things: some of these belong together.',
        },
      ],
      'max-lines': ['warn', { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    // The machine's clock may be set: what lasts is measured by another, and what has a date asks the job server's clocks.
    files: ['lib/{connection,driver,transport,job-server}/**/*.ts'],
    // These compare dates with dates, or show them to people.
    ignores: ['lib/job-server/{events,operations}/*.ts', 'lib/transport/job-call.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'Date',
          property: 'now',
          message: 'Measure durations by performance.now(); ask the Alarm for the date.',
        },
      ],
    },
  },
  // Jest loads its filter by require().
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  { files: ['sample/**', 'bench/**', 'test/chaos/**', 'lib/cli/**'], rules: { 'no-console': 'off' } },
);
