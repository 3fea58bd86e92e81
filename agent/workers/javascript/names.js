// SPDX-License-Identifier: Apache-2.0
'use strict';
// The names of a session and where they are kept (rewrite.js tells how), and what rewritten cells
// call of the worker.

const { createRequire, Module } = require('node:module');
const { dirname, isAbsolute, join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { runInThisContext } = require('node:vm');
const { rename, MARK, HELP } = require('./rewrite.js');

const { cwd } = process;
const { _cache: moduleCache } = Module;

// What libraries look for to know where they run: a variable of the user's is no answer.
const PROBES = ['window', 'self', 'document', 'define', 'importScripts', 'WorkerGlobalScope', 'Deno',
  'Bun', 'location', 'navigator', 'jest', 'mocha', 'describe', 'it', 'test', 'expect', 'name'];
const WORDS = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/gu;

// From names of the user's to identifiers that they are kept under, where the two differ.
const aliases = new Map();
// Identifiers that are declared in the global scope and no properties of the global object.
const lexical = new Set();
// Properties of the global object that show what a module exports.
const imports = new Set();
const constants = new Set();
// Names whose declaration did not come to its end: V8 lets nobody use them again.
const stuck = new Map();
const pristine = new Set(PROBES);

const session = {
  alias: (name) => aliases.get(name),
  isLexical: (name) => lexical.has(name),
  isConstant: (name) => constants.has(name),
  isGuarded: (name) => pristine.has(name) || stuck.has(name),
  isFixed: (name) => Object.getOwnPropertyDescriptor(users.global, name)?.configurable === false,
  newAlias: (name) => name + MARK.repeat(1 + (stuck.get(name) ?? 0)),
};

// Has the text to be rewritten for a name in it?
function concerns(code) {
  if (aliases.size + constants.size === 0) return false;
  if (aliases.size > 0 && code.includes('eval')) return true;
  for (const [word] of code.matchAll(WORDS)) {
    if (aliases.has(word) || constants.has(word)) return true;
  }
  return false;
}

// The cell's scripts are about to run.
function declare(names) {
  for (const { name, storage, kind, fresh } of names) {
    if (storage !== name) aliases.set(name, storage);
    if (kind === 'const') constants.add(name);
    else constants.delete(name);
    if (kind === 'import') continue;
    if (imports.delete(storage)) Reflect.deleteProperty(users.global, storage);
    if (fresh) lexical.add(storage);
  }
}

// The cell failed: what it did not get to declare can be declared anew.
function release(names) {
  for (const { name, storage, fresh, native, kind } of names) {
    if (!fresh || !native || kind === 'import') continue;
    try {
      runInThisContext(`typeof ${storage}`);
    } catch {
      stuck.set(name, (stuck.get(name) ?? 0) + 1);
      aliases.delete(name);
      constants.delete(name);
    }
  }
}

// The value of a name as a cell would find it; never throws and calls nothing of the user's.
function look(name) {
  const storage = aliases.get(name) ?? name;
  if (!lexical.has(storage) && !imports.has(storage)) return undefined;
  try {
    return { value: runInThisContext(storage) };
  } catch {
    return undefined;
  }
}

// All names that are no properties of the global object, as the user wrote them.
const list = () => [...new Set([...lexical, ...imports, ...aliases.keys()])]
  .filter((name) => !name.includes(MARK));

// Of the running cell: the text that was rewritten, the one that the user wrote and the way from
// places in the one to those in the other, how it is called, the file that it is, is it TypeScript?
let running = { code: '', source: '', placeOf: null, name: '', file: '', typed: false };

// Errors whose `stack` says all that there is to say.
const shaped = new WeakSet();

function missing(from, imported, start, end) {
  let message = `The requested module '${from}' does not provide an export named '${imported}'`;
  try {
    const found = createRequire(running.file || join(cwd(), '[cell]')).resolve(from);
    if (moduleCache[found]) {
      message = `Named export '${imported}' not found. The requested module '${from}' is a ` +
        'CommonJS module, which may not support all module.exports as named exports.\n' +
        'CommonJS modules can always be imported via the default export, for example using:\n\n' +
        `import pkg from '${from}';\n`;
    }
  } catch {
    // No file: a module of node's.
  }
  const error = new users.SyntaxError(message);
  const { code, source, name, placeOf } = running;
  const before = code.slice(0, start).split('\n');
  const place = [before.length, before[before.length - 1].length + 1];
  const [line, column] = placeOf?.(...place) ?? place;
  const text = source.split('\n')[line - 1] ?? '';
  error.stack = `${name}:${line}\n${text}\n${' '.repeat(column - 1)}${'^'.repeat(end - start)}\n` +
    `SyntaxError: ${message}`;
  shaped.add(error);
  return error;
}

const help = {
  constant: new Proxy({}, {
    set() { throw new users.TypeError('Assignment to constant variable.'); },
  }),
  early(name) {
    throw new users.ReferenceError(`Cannot access '${name}' before initialization`);
  },
  meant(code) {
    if (typeof code !== 'string' || aliases.size === 0) return code;
    try {
      return rename(code, session);
    } catch {
      return code; // V8 says what is wrong with it
    }
  },
  load(...modules) {
    // The arrays are those of the cell.
    modules.forEach(({ 0: from, 1: space, 2: names }) => {
      for (let at = 0; at < names.length; at++) {
        const { 0: imported, 1: storage, 2: used, 3: start, 4: end, 5: set } = names[at];
        const whole = imported === '*';
        if (!whole && !Reflect.has(space, imported)) {
          // A type, of which nothing is left.
          if (running.typed && !used) continue;
          throw missing(from, imported, start, end);
        }
        if (set) {
          set(whole ? space : space[imported]);
          continue;
        }
        Object.defineProperty(users.global, storage, {
          get: whole ? () => space : () => space[imported],
          set() { throw new users.TypeError('Assignment to constant variable.'); },
          configurable: true, enumerable: false,
        });
        imports.add(storage);
      }
    });
  },
  get meta() {
    const file = running.file || join(cwd(), '[cell]');
    return {
      __proto__: null, dirname: dirname(file), filename: file,
      resolve: (specifier) => {
        const found = createRequire(file).resolve(specifier);
        return isAbsolute(found) ? pathToFileURL(found).href
          : found.startsWith('node:') ? found : `node:${found}`;
      },
      url: pathToFileURL(file).href,
    };
  },
};

// Before the first cell, when the global object is as users find it.
function start() {
  for (const name of Object.getOwnPropertyNames(users.global)) pristine.add(name);
  runInThisContext(`let ${HELP}; (help) => { ${HELP} = help }`)(Object.freeze(help));
}

function begin({ code, source, placeOf, name }, file, typed) {
  running = { code, source, placeOf, name, file, typed };
}

module.exports = { session, concerns, declare, release, look, list, start, begin, shaped };
