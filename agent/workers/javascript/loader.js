// SPDX-License-Identifier: Apache-2.0
'use strict';
// Programs in TypeScript: the main file, and what it requires or imports.
//
// A file is a module or CommonJS as node would have it of the JavaScript that it comes to: by its
// ending, by `type` of the package, else by what stands in it.  CommonJS is stripped here, where it is
// required; modules in the thread of node's loader (hooks.mjs), which tells the places over a port.
// In CommonJS `import` and `export` are allowed, and made into calls of require().

const { SyntaxError } = globalThis;
const { process } = globalThis;
const fs = require('node:fs');
const { Module, register } = require('node:module');
const path = require('node:path');
const { setImmediate } = require('node:timers');
const { pathToFileURL } = require('node:url');
const vm = require('node:vm');
const { MessageChannel, receiveMessageOnPort } = require('node:worker_threads');
const stacks = require('./stacks.js');
const { stripNow, places } = require('./typescript.js');

const EXIT_UNSETTLED = 13;
const WRAPPER = ['exports', 'require', 'module', '__filename', '__dirname'];

function mistake(file, source, { text, line, column }) {
  const error = new SyntaxError(text);
  error.stack = `${file}:${line}\n${source.split('\n')[line - 1] ?? ''}\n${' '.repeat(column)}^\n\n` +
    `SyntaxError: ${text}`;
  return error;
}

function strip(file, format) {
  const source = fs.readFileSync(file, 'utf8').replace(/^\ufeff/, '');
  const found = stripNow(source, format, true);
  if (found.error) throw mistake(file, source, found.error);
  if (found.code === undefined) throw new SyntaxError(`${file}: there is nothing here that takes types out`);
  return found;
}

function typeOfPackage(file) {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    try {
      const { type } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
      return type;
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') return undefined;
    }
    if (folder === path.dirname(folder)) return undefined;
  }
}

// As node detects it: what cannot be CommonJS, and can be a module.
function looksLikeModule(file) {
  const { code } = strip(file);
  try {
    vm.compileFunction(code, WRAPPER);
    return false;
  } catch (error) {
    return /import statement|import\.meta|'export'|await is only valid/.test(error.message);
  }
}

function isModule(file) {
  if (/\.mts$/i.test(file)) return true;
  if (/\.cts$/i.test(file)) return false;
  const type = typeOfPackage(file);
  return type === 'module' || (type !== 'commonjs' && looksLikeModule(file));
}

function loadCommon(module, file) {
  const { code, placeOf } = strip(file, 'cjs');
  stacks.setPlaces(file, null, placeOf);
  module._compile(code, file);
}

// An end before the main module has settled.
function importMain(url) {
  let pending = true;
  const settled = () => { pending = false; };
  process.on('exit', (code) => {
    if (!pending || code !== 0) return;
    process.stderr.write(`Warning: Detected unsettled top-level await at ${url}\n`);
    process.exitCode = EXIT_UNSETTLED;
  });
  import(url).then(settled, (error) => {
    settled();
    throw error;
  });
}

function launch(file) {
  const { port1, port2 } = new MessageChannel();
  for (const ending of ['.ts', '.cts', '.mts']) Module._extensions[ending] = loadCommon;
  register('./hooks.mjs', pathToFileURL(__filename), { data: { port: port2 }, transferList: [port2] });
  port1.unref();
  stacks.ask(() => {
    for (let told; (told = receiveMessageOnPort(port1)) !== undefined;) {
      stacks.setPlaces(told.message.url, null, places(told.message.lines));
    }
  });
  if (isModule(file)) importMain(pathToFileURL(file).href);
  else setImmediate(Module.runMain, file);
}

module.exports = { launch, isModule, strip };
