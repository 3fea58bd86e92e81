// SPDX-License-Identifier: Apache-2.0
'use strict';
// Programs in TypeScript: the main file, and what it requires or imports.
//
// A file is a module or CommonJS as node would have it of the JavaScript that it comes to: by its
// ending, by `type` of the package, else by what stands in it.  CommonJS is stripped here, where it is
// required; modules in the thread of node's loader (hooks.mjs), which tells the places over a port.
// In CommonJS `import` and `export` are allowed, and made into calls of require().

const { Number, String, SyntaxError } = globalThis;
const { decodeURIComponent, process } = globalThis;
const fs = require('node:fs');
const { Module, register } = require('node:module');
const path = require('node:path');
const { setImmediate } = require('node:timers');
const { pathToFileURL } = require('node:url');
const { inspect } = require('node:util');
const { isNativeError } = require('node:util/types');
const vm = require('node:vm');
const { MessageChannel, receiveMessageOnPort } = require('node:worker_threads');
const { load } = require('./realm.js');

const stacks = load('./stacks.js');
const { stripNow, places } = load('./typescript.js');

const exit = process.exit.bind(process);
const EXIT_UNSETTLED = 13;
const WRAPPER = ['exports', 'require', 'module', '__filename', '__dirname'];

const EXIT_UNCAUGHT = 1;
const FRAME = /^ +at (?:.* \()?(?:file:\/\/)?(\/.*\.[cm]?ts):(\d+):(\d+)\)?$/i;

// With the place in front, as node has it of JavaScript; a stack is all that comes from another thread.
const HEADED = /^\/.*:\d+\n.*\n\s*\^\n\nSyntaxError: /;

function header(file, source, line, column) {
  const text = source.split('\n')[line - 1] ?? '';
  return `${file}:${line}\n${text}\n${text.slice(0, column).replace(/[^\t]/g, ' ')}^\n\n`;
}

function mistake(file, source, { text, line, column }) {
  const error = new SyntaxError(text);
  const [, ...frames] = error.stack.split('\n');
  error.stack = header(file, source, line, column) +
    [`SyntaxError: ${text}`, ...frames.filter((frame) => !frame.includes(__dirname))].join('\n');
  return error;
}

// What node would put in front of an error, if it comes from TypeScript.
function headerOf(error) {
  const frame = String(error.stack).split('\n').find((line) => /^ +at /.test(line));
  const match = frame?.match(FRAME);
  if (!match) return null;
  const file = decodeURIComponent(match[1]);
  try {
    return header(file, fs.readFileSync(file, 'utf8').replace(/^\ufeff/, ''), Number(match[2]), Number(match[3]) - 1);
  } catch {
    return null; // It is gone.
  }
}

// An error that nobody caught is told as node tells it, but with the place in what the user wrote:
// node would show the text that is left when the types are gone.
function tell(error) {
  if (process.listenerCount('uncaughtException') > 0 || process.hasUncaughtExceptionCaptureCallback() ||
      !isNativeError(error)) return;
  let text = String(error.stack);
  if (!HEADED.test(text)) {
    const before = headerOf(error);
    if (before === null) return;
    text = before + inspect(error, { customInspect: false });
  }
  fs.writeSync(2, `${text}\n\nNode.js ${process.version}\n`);
  exit(EXIT_UNCAUGHT);
}

function strip(file, format) {
  const source = fs.readFileSync(file, 'utf8').replace(/^\ufeff/, '');
  const stripped = stripNow(source, format, true);
  if (stripped.error) throw mistake(file, source, stripped.error);
  if (stripped.code === undefined) throw new SyntaxError(`${file}: there is nothing here that takes types out`);
  return stripped;
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
  process.on('uncaughtExceptionMonitor', tell);
  stacks.ask(() => {
    for (let told; (told = receiveMessageOnPort(port1)) !== undefined;) {
      stacks.setPlaces(told.message.url, null, places(told.message.lines));
    }
  });
  let asModule;
  try {
    asModule = isModule(file);
  } catch (error) {
    setImmediate(() => { throw error; });
    return;
  }
  if (asModule) importMain(pathToFileURL(file).href);
  else setImmediate(Module.runMain, file);
}

module.exports = { launch, isModule, strip };
