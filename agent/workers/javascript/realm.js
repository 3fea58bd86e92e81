// SPDX-License-Identifier: Apache-2.0
'use strict';
// The worker's own global scope.
//
// Cells may do what they like to what JavaScript comes with: `Array = null`, a method taken from
// String.prototype, an iterator of arrays that counts.  So the worker runs in a realm of its own,
// beside that of the user's: the same heap and event loop, but other Objects, Arrays and
// prototypes.  Only what is handed to users is made in theirs (OUTER): functions of `process`,
// streams, errors.
//
// What the worker has from node belongs to the users' realm: functions are taken when a file is
// loaded, before any cell, and arrays of node's are read by their indices.  The errors of the two
// realms are different classes, too.

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

// In the users' realm.  Each takes what it needs while it is loaded.
const OUTER = ['addon.node', 'exit.js', 'face.js', 'guard.js', 'loader.js', 'program.js', 'streams.js'];

const context = vm.createContext({ __proto__: null });
const inside = (code) => vm.runInContext(code, context);
// What files of the worker's find: the language's own, in this realm, as variables, for the global
// object of a context is slow;
const scope = new Map(inside('Object.getOwnPropertyNames(globalThis)')
  .filter((name) => /^[A-Z]/.test(name)).map((name) => [name, inside(name)]));
// node's;
for (const [name, given] of Object.entries({ Buffer, process, setImmediate })) scope.set(name, given);
// and the users' global object, with what the worker makes of theirs.
scope.set('users', inside('(what) => ({ __proto__: null, ...what })')({
  global: globalThis, list: () => [], object: () => ({}), Object, Error, ReferenceError, SyntaxError, TypeError,
}));

const OF_FILE = ['require', 'module', 'exports', '__dirname', '__filename'];
// Exports, by what they are asked for by.
const found = inside('new Map()');

// A file of the worker's, or of a package that it uses, in its realm.
function load(id) {
  if (found.has(id)) return found.get(id);
  const file = require.resolve(id);
  const module = inside('({ exports: {} })');
  found.set(id, module.exports);
  const run = vm.compileFunction(fs.readFileSync(file, 'utf8'), [...OF_FILE, ...scope.keys()],
    { filename: file, parsingContext: context });
  run(find, module, module.exports, path.dirname(file), file, ...scope.values());
  found.set(id, module.exports);
  return module.exports;
}

function find(id) {
  if (found.has(id)) return found.get(id);
  const isOuter = id.startsWith('node:') || OUTER.includes(id.slice(2));
  if (!isOuter) return load(id);
  found.set(id, require(id));
  return found.get(id);
}

module.exports = { load };
