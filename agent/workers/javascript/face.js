// SPDX-License-Identifier: Apache-2.0
'use strict';
// What cells find in their global scope that node's own programs have otherwise: require(), module,
// the standard streams, and random numbers that differ between clones.

const { Module, createRequire } = require('node:module');
const path = require('node:path');

const { cwd } = process;
const { defineProperty } = Object;
const { join } = path;

// Numbers from 128 bits of state (xorshift), because V8's own cannot be seeded again after a
// restore from a template.
const state = new Uint32Array(4);

function next() {
  let t = state[3];
  const s = state[0];
  state[3] = state[2];
  state[2] = state[1];
  state[1] = s;
  t ^= t << 11;
  t ^= t >>> 8;
  return state[0] = t ^ s ^ (s >>> 19);
}

function seed(data) {
  for (let at = 0; at < 4; at++) state[at] = 0x9e3779b9;
  for (let at = 0; at < data.length; at++) {
    state[(at >> 2) & 3] ^= data[at] << (8 * (at & 3));
    if ((at & 15) === 15) next();
  }
  if ((state[0] | state[1] | state[2] | state[3]) === 0) state[0] = 1;
  for (let n = 0; n < 16; n++) next();
}

const define = (object, name, value) => defineProperty(object, name,
  { value, writable: true, configurable: true, enumerable: false });

function prepareRandom() {
  const random = (() => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992).bind();
  defineProperty(random, 'name', { value: 'random', configurable: true });
  define(Math, 'random', random);
}

function prepareModule() {
  const main = new Module('.');
  main.filename = null;
  const here = () => createRequire(join(cwd(), '[cell]'));
  const load = function require(id) { return here()(id); };
  load.resolve = (...args) => here().resolve(...args);
  load.cache = Module._cache;
  load.extensions = Module._extensions;
  load.main = main;
  process.mainModule = undefined;
  define(globalThis, 'require', load);
  define(globalThis, 'module', main);
  define(globalThis, 'exports', main.exports);
}

// `streams`: from names of the standard streams to functions that give them.
function prepare(streams) {
  prepareRandom();
  prepareModule();
  process.argv.length = 1;
  process.execArgv.length = 0;
  for (const name of Object.keys(streams)) {
    const give = streams[name];
    defineProperty(process, name, { get: () => give(), configurable: true, enumerable: true });
  }
}

module.exports = { prepare, seed };
