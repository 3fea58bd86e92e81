'use strict';
// Takes the types out of a cell, by esbuild (Debian's package); the one place that knows it.

const { JSON, Number } = globalThis;
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');

const ESBUILD = fs.existsSync('/usr/bin/esbuild') ? '/usr/bin/esbuild' : 'esbuild';
// Nothing is dropped that looks unused: a later cell may use it.
const CONFIG = JSON.stringify({
  compilerOptions: {
    preserveValueImports: true, isolatedModules: true, useDefineForClassFields: true,
  },
});

// Returns { code } or { error: { line, column, text } } or {} when there is no such tool.
function strip(code) {
  const ran = spawnSync(ESBUILD, ['--loader=ts', '--target=esnext', '--log-level=error',
    '--color=false', '--charset=utf8', `--tsconfig-raw=${CONFIG}`],
  {
    input: code, encoding: 'utf8', maxBuffer: 16 << 20,
    env: { PATH: process.env.PATH, HOME: '/' },
  });
  if (ran.error) return {};
  if (ran.status === 0) return { code: ran.stdout };
  const text = ran.stderr.match(/ERROR\] (.*)/)?.[1] ?? 'invalid syntax';
  const place = ran.stderr.match(/<stdin>:(\d+):(\d+)/);
  return { error: { text, line: Number(place?.[1] ?? 1), column: Number(place?.[2] ?? 0) } };
}

module.exports = { strip };
