// SPDX-License-Identifier: Apache-2.0
'use strict';
// Makes scripts of a cell's text, and says what is wrong with it as node would: V8's words, at the
// place in what the user wrote.

const { Module } = require('node:module');
const { join } = require('node:path');
const vm = require('node:vm');
const names = require('./names.js');
const { rewriteCell } = require('./rewrite.js');

const { Script, SourceTextModule } = vm;
const { _nodeModulePaths: modulePaths } = Module;
const { _compile: compileModule } = Module.prototype;
const { cwd } = process;

// A cell without any of this awaits, imports and declares nothing at its top and is no object.
const REWRITTEN = /^#!|^\s*\{|\b(?:await|class|const|export|function|import|let|var)\b/;
const MODULE_WORDS = /\b(?:await|import|export)\b/;
// Static imports and the word export, to be read as nothing where only a module has them.
const IMPORTS = /^[ \t]*import\b(?=\s*["'{*\w$])[^;()]*?["'][^"'\n]*["'](?:\s*(?:with|assert)\s*\{[^}]*\})?/gm;
const EXPORTS = /^[ \t]*export\s+(?:default\s+)?(?=[\w([{])/gm;

// import() as a module in the working directory would do it, for versions of Node (18) whose vm has
// no loader of this kind.
function importHere(specifier) {
  const place = join(cwd(), '[cell]');
  const module = new Module(place);
  module.filename = place;
  module.paths = modulePaths(cwd());
  compileModule.call(module, 'exports.load = (specifier) => import(specifier);', place);
  return module.exports.load(specifier);
}

const LOADER = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER ?? importHere;

const scriptOf = (text, name, head) => new Script(text,
  { filename: name, columnOffset: -head, importModuleDynamically: LOADER });
const blank = (text) => text.replace(/[^\n]/g, ' ');

// From a place in the rewritten text to that in the text before.
function placesOf(moves, shift, lineCount) {
  const byLine = new Map();
  for (const move of moves) {
    if (!byLine.has(move[0])) byLine.set(move[0], []);
    byLine.get(move[0]).push(move);
  }
  return (line, column) => {
    if (line > lineCount || column < 1) return null;
    // What was put in front of the first line has been taken off already.
    const at = column - 1 + (line === 1 ? shift : 0);
    let own = at;
    for (const [, start, before, stands] of byLine.get(line) ?? []) {
      if (start > at) break;
      own = stands ? before : before + at - start;
    }
    return [line, Math.max(0, own - (line === 1 ? shift : 0)) + 1];
  };
}

// { before, main, awaits, names, placeOf }; throws acorn's error or V8's.
function build(code, name) {
  if (!REWRITTEN.test(code) && !names.concerns(code)) {
    try {
      return { before: null, main: scriptOf(code, name, 0), awaits: false, names: [], placeOf: null };
    } catch (error) {
      // The way through the parser of our own tells more about a mistake.
      if (!(error instanceof users.SyntaxError)) throw error;
    }
  }
  const made = rewriteCell(code, names.session);
  return {
    before: made.before === null ? null : scriptOf(made.before, name, made.beforeHead),
    main: scriptOf(made.text, name, made.head),
    awaits: made.awaits, names: made.names,
    placeOf: made.moves.length > 0 || made.awaits
      ? placesOf(made.moves, made.shift, code.split('\n').length) : null,
  };
}

// V8's complaint: { line, column, width, message }, or null.
function complaint(text, name, lineOffset) {
  try {
    new Script(text, { filename: name, lineOffset });
    return null;
  } catch (error) {
    // What users make of stacks need be no text.
    const head = typeof error.stack === 'string' &&
      error.stack.slice(name.length).match(/^:(\d+)\n.*\n( *)(\^+)/);
    if (!head) return { line: 1, column: 0, width: 1, message: error.message };
    return { line: Number(head[1]), column: head[2].length, width: head[3].length,
      message: error.message };
  }
}

// What V8 says of the text as a module, which has no place.
function moduleMessage(code) {
  try {
    new SourceTextModule(code, { identifier: 'cell' });
    return null;
  } catch (error) {
    return error instanceof users.SyntaxError ? error.message : null;
  }
}

// Node warns once of each experimental thing that is used, and would put ours before the user: the
// loader of import() and modules of vm.
function warmUp() {
  const warn = process.emitWarning;
  process.emitWarning = () => {};
  scriptOf('import("node:path")', 'warm-up', 0).runInThisContext();
  moduleMessage('');
  process.emitWarning = warn;
}

// `place`, where our parser gave up: { line, column }.
function judge(code, name, place) {
  if (!MODULE_WORDS.test(code)) return complaint(code, name, 0);
  const inside = code.replace(IMPORTS, blank).replace(EXPORTS, blank);
  const found = complaint(`(async () => {\n${inside}\n})`, name, -1);
  const message = moduleMessage(code);
  const lineCount = code.split('\n').length;
  if (found && found.line <= lineCount && !/outside a module/.test(found.message) &&
      (message === null || message === found.message || found.line === place?.line)) return found;
  if (message === null && found === null) return null;
  const text = message ?? 'Unexpected end of input';
  if (text === 'Unexpected end of input') {
    return { line: lineCount, column: code.split('\n')[lineCount - 1].length, width: 0, message: text };
  }
  return { line: place?.line ?? 1, column: place?.column ?? 0, width: 1, message: text };
}

// An error as node shows it: the place, the line, a caret, the words.
function shape(code, name, { line, column, width, message }) {
  const error = new users.SyntaxError(message);
  const source = code.split('\n')[line - 1] ?? '';
  error.stack = `${name}:${line}\n${source}\n${' '.repeat(column)}${'^'.repeat(width)}\n\n` +
    `SyntaxError: ${message}`;
  names.shaped.add(error);
  return error;
}

// Did the reader of types get further than V8, which stumbled over the first of them?
function isFurther(code, other, found, place) {
  if (other.line !== (place?.line ?? found.line)) return true;
  if (other.line !== found.line || other.column <= found.column) return false;
  const source = code.split('\n')[found.line - 1] ?? '';
  return /[:<!?]/.test(source[found.column] ?? '') || /^Missing initializer/.test(found.message);
}

const JSX = '\nThis looks like JSX, which is neither JavaScript nor TypeScript: write the calls that it ' +
  'stands for, as in React.createElement("div").';

// What to say of a text that is no JavaScript (`error`, our parser's) and no TypeScript (`other`).
function mistake(code, name, error, other) {
  const place = error.loc && { line: error.loc.line, column: error.loc.column };
  let found = judge(code, name, place);
  if (found?.message === "Unexpected token '<'" && /<[A-Za-z>][^]*(?:\/>|<\/)/.test(code)) {
    found.message += JSX;
  } else if (found === null || (other && isFurther(code, other, found, place))) {
    found = other ? { line: other.line, column: other.column, width: 1, message: other.text }
      : { ...place ?? { line: 1, column: 0 }, width: 1,
        message: error.message.replace(/ \(\d+:\d+\)$/, '') };
  }
  return shape(code, name, found);
}

// What V8 says of the text without types, at the place in the text with them, as typescript.js tells.
function moved(code, error, placeOf) {
  const place = error.loc ?? null;
  const found = judge(code, 'cell', place) ?? { ...place ?? { line: 1, column: 0 }, message: error.message };
  const [line, column] = placeOf?.(found.line, found.column + 1) ?? [1, 1];
  return { line, column: column - 1, text: found.message };
}

// The code as V8 takes it, where our parser does not know something that V8 does.
function asItIs(code, name) {
  try {
    return { before: null, main: scriptOf(code, name, 0), awaits: false, names: [], placeOf: null };
  } catch {
    return null;
  }
}

module.exports = { build, mistake, moved, asItIs, warmUp };
