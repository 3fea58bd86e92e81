// SPDX-License-Identifier: Apache-2.0
'use strict';
// What is read of the JavaScript worker: ESLint's own set.  A name that is taken and not used is a
// mistake here, too: the worker takes globals before a program can replace them.

const js = require('@eslint/js');
const globals = require('globals');

module.exports = [
  { ignores: ['build/**', '**/*_corpus/**', 'tests/data/**'] },
  js.configs.recommended,
  {
    languageOptions: { sourceType: 'commonjs', ecmaVersion: 2023, globals: globals.node },
    rules: {
      'no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none' }],
      'no-empty': ['error', { allowEmptyCatch: true }],
    },
  },
  // What realm.js gives to the files of the worker.
  { files: ['agent/workers/javascript/*.js'], languageOptions: { globals: { users: 'readonly' } } },
  { files: ['**/*.mjs'], languageOptions: { sourceType: 'module' } },
];
