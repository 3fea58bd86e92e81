// SPDX-License-Identifier: Apache-2.0
'use strict';
// Answers questions on the query channel, without running getters, proxies or anything else of
// the user's.

const { readdirSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { builtinModules } = require('node:module');
const { isProxy } = require('node:util').types;
const names = require('./names.js');
const { parse, incomplete } = require('./rewrite.js');
const typescript = require('./typescript.js');
const { encoded } = require('./streams.js');
const { field, joined, u8, u32, violation } = require('./wire.js');
const { signature } = require('./signature.js');

const { cwd } = process;
const COMPLETE = 16, COMPLETIONS = 17, IS_COMPLETE = 18, COMPLETENESS = 19, DESCRIBE = 20, DESCRIPTION = 21;
const WHOLE = 0, INCOMPLETE = 1, INVALID = 2;
// Patterns take the square of the length of a line, and everything waits meanwhile.
const LINE_MAX = 4000;
const MATCHES_MAX = 500, NAMES_MAX = 20000;
const KEYWORDS = ('async await break case catch class const continue debugger default delete do ' +
  'else export extends false finally for function if import in instanceof let new null return ' +
  'static super switch this throw true try typeof undefined var void while with yield').split(' ');
const NAME = '[\\p{ID_Start}$_][\\p{ID_Continue}$\\u200c\\u200d]*';
const WHOLE_NAME = new RegExp(`^${NAME}$`, 'u');
const CHAIN = new RegExp(`((?:${NAME}\\s*\\??\\.\\s*)*)((?:${NAME})?)$`, 'u');
const MODULE = /(?:require\s*\(|import\s*\(|from|import)\s*(["'`])([^"'`\n]*)$/;
// Getters of node's own that are safe to call.
let lazyGetters;
const STRING = /(["'`])([^"'`\n]*)$/;

function kind(value) {
  if (typeof value !== 'function') return 'instance';
  if (isProxy(value)) return 'function';
  const prototype = Object.getOwnPropertyDescriptor(value, 'prototype');
  return prototype && !prototype.writable ? 'class' : 'function';
}

// The own or inherited property's descriptor, as long as no proxy is in the way.
function descriptor(object, name) {
  for (let at = object; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) {
    if (isProxy(at)) return undefined;
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found) return found;
  }
  return undefined;
}

function lookup(chain) {
  let value = users.global;
  const parts = chain.split('.').map((p) => p.replace(/[\s?]/g, '')).filter(Boolean);
  const own = names.look(parts[0]);
  if (own) {
    value = own.value;
    parts.shift();
  }
  for (const part of parts) {
    if (part === 'this' || part === 'globalThis') continue;
    if (value === null || value === undefined) return undefined;
    const found = descriptor(users.Object(value), part);
    if (found?.get && lazyGetters.has(found.get)) {
      value = users.global[part];
    } else {
      value = found?.value;
    }
  }
  return value;
}

function members(object, prefix) {
  const found = new Map();
  for (let at = object; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) {
    if (isProxy(at)) break;
    for (const name of Object.getOwnPropertyNames(at).slice(0, NAMES_MAX)) {
      if (!name.startsWith(prefix) || found.has(name) || !WHOLE_NAME.test(name)) continue;
      found.set(name, kind(Object.getOwnPropertyDescriptor(at, name).value));
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

// An array of node's, as one of ours.
function ours(array) {
  const copy = [];
  for (let at = 0; at < array.length && at < NAMES_MAX; at++) copy[at] = array[at];
  return copy;
}

function list(folder) {
  try {
    return ours(readdirSync(folder, { withFileTypes: true }));
  } catch {
    return [];
  }
}

function files(prefix) {
  const slash = prefix.lastIndexOf('/') + 1;
  const start = prefix.slice(slash);
  const matches = list(prefix.slice(0, slash) || '.')
    .filter((entry) => entry.name.startsWith(start) && (start || !entry.name.startsWith('.')))
    .map((entry) => [entry.name + (entry.isDirectory() ? '/' : ''), 'path']);
  return [start, matches.sort()];
}

function modules(prefix) {
  if (/^\.{0,2}\//.test(prefix)) return files(prefix);
  const names = new Set(ours(builtinModules).filter((name) => !name.startsWith('_')));
  if (prefix.startsWith('node:')) for (const name of [...names]) names.add(`node:${name}`);
  for (let at = cwd(); ; at = dirname(at)) {
    for (const { name } of list(join(at, 'node_modules'))) {
      if (!name.startsWith('.')) names.add(name);
    }
    if (at === dirname(at)) break;
  }
  return [prefix, [...names].filter((n) => n.startsWith(prefix)).sort().map((n) => [n, 'module'])];
}

function complete(text) {
  const line = text.slice(text.lastIndexOf('\n') + 1);
  if (line.length > LINE_MAX) return ['', []];
  const module = line.match(MODULE);
  if (module) return modules(module[2]);
  if ((line.match(/(?<!\\)["'`]/g) ?? []).length % 2 === 1) {
    const string = line.match(STRING);
    return string ? files(string[2]) : ['', []];
  }
  const [, chain, prefix] = line.match(CHAIN);
  if (chain) {
    const before = line.slice(0, line.length - chain.length - prefix.length).trimEnd();
    const value = before.endsWith('.') ? undefined : lookup(chain);
    return [prefix, value === undefined || value === null ? [] : members(users.Object(value), prefix)];
  }
  if (!prefix && /[.\])\w]\s*$/.test(line)) return ['', []];
  const keywords = KEYWORDS.filter((word) => word.startsWith(prefix))
    .map((word) => [word, 'keyword']);
  const own = new Map(names.list().filter((name) => name.startsWith(prefix))
    .map((name) => [name, kind(names.look(name)?.value)]));
  for (const [name, what] of members(users.global, prefix)) if (!own.has(name)) own.set(name, what);
  return [prefix, [...keywords, ...[...own].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))]];
}

// Gives [status, indent] to done().
function completeness(code, done) {
  const cutOff = () => {
    const last = code.slice(code.lastIndexOf('\n') + 1);
    done([INCOMPLETE, last.match(/^\s*/)[0] + (/[{([]\s*$/.test(last) ? '  ' : '')]);
  };
  try {
    parse(code);
    done([WHOLE, '']);
  } catch (error) {
    if (!(error instanceof SyntaxError)) done([INVALID, '']);
    else if (incomplete(code, error)) cutOff();
    else if (!typescript.maybe(code)) done([INVALID, '']);
    else {
      typescript.strip(code, ({ code: stripped, error: other }) => {
        if (stripped !== undefined) done([WHOLE, '']);
        else if (/end of file|Unterminated template/.test(other?.text ?? '')) cutOff();
        else done([INVALID, '']);
      });
    }
  }
}

// [kind, signature, summary] of the name at the end of the text.
function description(text) {
  const nothing = ['', '', ''];
  const line = text.slice(text.lastIndexOf('\n') + 1);
  if (line.length > LINE_MAX) return nothing;
  if ((line.match(/(?<!\\)["'`]/g) ?? []).length % 2 === 1) return nothing;
  const [, chain, name] = line.match(CHAIN);
  const before = line.slice(0, line.length - chain.length - name.length).trimEnd();
  if (!name || before.endsWith('.') || (!chain && KEYWORDS.includes(name))) return nothing;
  try {
    const value = lookup(chain + name);
    return value === undefined ? nothing : [kind(value), signature(value), ''];
  } catch {
    return nothing; // An object that breaks even careful looks.
  }
}

// Gives the message to send to reply(type, payload).
function answer(type, fields, getters, reply) {
  lazyGetters = getters;
  const id = fields.u32(), text = fields.text();
  if (type === COMPLETE) {
    const points = Array.from(text);
    const cursor = Math.min(fields.u32(), points.length);
    fields.end();
    let replaced = '', matches = [];
    try {
      [replaced, matches] = complete(points.slice(0, cursor).join(''));
    } catch {
      // An object that breaks even careful looks.
    }
    matches = matches.slice(0, MATCHES_MAX);
    const start = cursor - Array.from(replaced).length;
    reply(COMPLETIONS, joined(u32(id), u32(start), u32(cursor), u32(matches.length),
      ...matches.flat().map((part) => field(encoded(part)))));
    return;
  }
  if (type === DESCRIBE) {
    fields.end();
    reply(DESCRIPTION, joined(u32(id), ...description(text).map((part) => field(encoded(part)))));
    return;
  }
  if (type !== IS_COMPLETE) violation();
  fields.end();
  completeness(text, ([status, indent]) => reply(COMPLETENESS,
    joined(u32(id), u8(status), field(encoded(indent)))));
}

module.exports = { answer };
