// SPDX-License-Identifier: Apache-2.0
'use strict';
// Takes the types out of a cell, by esbuild (Debian's package); the one place that knows it.

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { encoded } = require('./streams.js');
const { joined, textOf } = require('./wire.js');

const { from } = Buffer;
const ESBUILD = fs.existsSync('/usr/bin/esbuild') ? '/usr/bin/esbuild' : 'esbuild';
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const MAP = '//# sourceMappingURL=data:application/json;base64,';
// What no JavaScript has that would not be valid without.
const SIGNS = /[:<@!?]|\b(?:abstract|as|declare|enum|function|implements|import|interface|module|namespace|private|protected|public|readonly|satisfies|type)\b/;
const LEGACY = /\bPropertyDescriptor\b|reflect-metadata|experimentalDecorators/;

let legacy = false;

function options(kind) {
  return ['--loader=ts', `--target=node${process.versions.node}`, '--log-level=error',
    '--color=false', '--charset=utf8', ...kind,
    // Nothing is dropped that looks unused: a later cell may use it.
    `--tsconfig-raw=${JSON.stringify({ compilerOptions: {
      verbatimModuleSyntax: true, preserveValueImports: true, isolatedModules: true,
      useDefineForClassFields: true, experimentalDecorators: legacy,
    } })}`];
}

const environment = () => ({ PATH: process.env.PATH, HOME: '/' });

// The segments of each line of what came out: [column, line, column of what went in, …], from 0.
function readMap(mappings) {
  const lines = [];
  let line = 0, column = 0;
  for (const text of mappings.split(';')) {
    const segments = [];
    let out = 0, at = 0;
    while (at < text.length) {
      const numbers = [];
      while (at < text.length && text[at] !== ',') {
        let value = 0, shift = 0, digit;
        do {
          digit = DIGITS.indexOf(text[at++]);
          value += (digit & 31) << shift;
          shift += 5;
        } while (digit & 32);
        numbers.push(value & 1 ? -(value >> 1) : value >> 1);
      }
      at++;
      out += numbers[0];
      if (numbers.length < 4) continue;
      line += numbers[2];
      column += numbers[3];
      segments.push(out, line, column);
    }
    lines.push(segments);
  }
  return lines;
}

// A function from [line, column] of what came out, counted from 1, to those of what went in, or
// null for what was put in.
function places(lines) {
  return (line, column) => {
    const segments = lines[line - 1] ?? [];
    let found = -1;
    for (let at = 0; at < segments.length && segments[at] <= column - 1; at += 3) found = at;
    return found < 0 ? null : [segments[found + 1] + 1, segments[found + 2] + 1];
  };
}

// Of the language, and so the tool's.
const LINE_ENDS = /\r\n|[\n\r\u2028\u2029]/;

// { code, placeOf } or { error: { line, column, text } }, columns from 0; {} without the tool.
function result(status, out, problems, source) {
  if (status === 0) {
    const at = out.lastIndexOf(MAP);
    if (at < 0) return { code: out, placeOf: null };
    const map = JSON.parse(textOf(from(out.slice(at + MAP.length), 'base64')));
    const lines = readMap(map.mappings);
    return { code: out.slice(0, at), lines, placeOf: places(lines) };
  }
  const text = problems.match(/ERROR\] (.*)/)?.[1] ?? 'invalid syntax';
  const place = problems.match(/<stdin>:(\d+):(\d+)/);
  const line = Number(place?.[1] ?? 1);
  const bytes = encoded(source.split(LINE_ENDS)[line - 1] ?? '');
  const before = textOf(bytes, Math.min(Number(place?.[2] ?? 0), bytes.length));
  return { error: { text, line, column: before.length } };
}

// Gives the result, or { signal } that ended the tool, to done(), later; returns a function that gives up without one.
function strip(code, done) {
  if (LEGACY.test(code)) legacy = true;
  const child = spawn(ESBUILD, options(['--sourcemap=inline', '--sources-content=false']),
    { env: environment(), stdio: ['pipe', 'pipe', 'pipe'] });
  const out = [], problems = [];
  let over = false;
  const end = (value) => {
    if (over) return;
    over = true;
    done(value);
  };
  child.stdout.on('data', (data) => out.push(data));
  child.stderr.on('data', (data) => problems.push(data));
  child.stdin.on('error', () => {});
  child.on('error', () => end({}));
  child.on('close', (status, signal) => {
    if (over) return;
    if (signal) {
      end({ signal });
      return;
    }
    const found = result(status, textOf(joined(...out)), textOf(joined(...problems)), code);
    if (found.error && !legacy && /experimental decorators/i.test(found.error.text)) {
      legacy = true;
      over = true;
      give = strip(code, done);
      return;
    }
    end(found);
  });
  child.stdin.end(code);
  let give = () => {
    over = true;
    child.kill('SIGKILL');
  };
  return () => give();
}

// The same at once, for who cannot wait; `format` as esbuild calls it. `mapped`: with places.
function stripNow(code, format, mapped = false) {
  if (LEGACY.test(code)) legacy = true;
  const kind = format ? [`--format=${format}`] : [];
  if (mapped) kind.push('--sourcemap=inline', '--sources-content=false');
  const ran = spawnSync(ESBUILD, options(kind),
    { input: code, encoding: 'utf8', maxBuffer: 16 << 20, env: environment() });
  if (ran.error) return {};
  return result(ran.status, ran.stdout, ran.stderr, code);
}

const maybe = (code) => SIGNS.test(code);
const isFile = (name) => /\.[cm]?ts$/i.test(name);

module.exports = { strip, stripNow, places, maybe, isFile };
