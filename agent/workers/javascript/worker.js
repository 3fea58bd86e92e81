'use strict';
// The JavaScript worker: runs cells that the agent sends (docs/guest.md, "Control channel").
//
// Theory of operation
// -------------------
// A cell is rewritten (rewrite.js) and run as a script in the one global scope.  It is over when
// its code has returned and the event loop has nothing of it left: while it runs, the channels do
// not keep the loop alive, so that `beforeExit` tells the end.  A server that listens keeps its
// cell running until an interrupt or its unref().  What an interrupted, failed or exited cell
// leaves in the loop goes on but does not hold the cells after it (`baseline`).
//
// - A last expression's value comes back as node's prompt shows it; undefined is no value.
// - process.exit(n) ends the cell with n, an uncaught exception or rejection with 1; state stays.
// - SIGINT ends the cell with 130, a busy loop too (addon.c) and also one that has not begun yet,
//   unless the user listens to it; what comes behind the end of a cell is forgotten.
// - process.stdin is new in each cell; only reads through it announce that the cell waits.
// - Code that is no JavaScript is tried as TypeScript (typescript.js).

// User code may replace globals; these stay ours.
const { Array, Buffer, Error, Map, Math, Number, Object, Reflect, Set } = globalThis;
const { SyntaxError, Uint32Array } = globalThis;
const { Module, createRequire } = require('node:module');
const fs = require('node:fs');
const path = require('node:path');
const util = require('node:util');
const vm = require('node:vm');
const addon = require('./addon.node');
const { Program } = require('./program.js');

const CELLS = 0, QUERIES = 1, ITERATION = 2, INTERRUPT = 3;
const CELL = 1, SETTINGS = 2, READY = 3, DONE = 4, SETTLED = 5, WAITING = 7;
const PREPARE = 8, PREPARED = 9;
const CELL_FINAL = 2, CELL_INTERACTIVE = 1, CELL_STALE_SIGINT = 4;
const HAS_VALUE = 1, INTERRUPTED = 2, VALUE_CUT = 4;
const VALUE_MAX = 1 << 20;
const EXIT_VIOLATION = 70, EXIT_UNSETTLED = 13;
const REPL_INSPECT = { showProxy: true };

const reallyExit = process.reallyExit.bind(process);
const emit = process.emit.bind(process);
const resources = process.getActiveResourcesInfo.bind(process);
const { writeSync } = fs;
const { inspect } = util;
const { setImmediate } = globalThis;
// Globals of node's that are made when first used: completion may do so.
const lazyGetters = new Set(Object.values(Object.getOwnPropertyDescriptors(globalThis))
  .map((found) => found.get).filter(Boolean));

// Of the running cell, or null between cells.
let cell = null;
// Kinds of things in the event loop that belong to no running cell, with their numbers.
let baseline = new Map();
let lastStdin = null;
// A SIGINT came between cells: it may be meant for the cell that is on its way.
let earlyInterrupt = false;

class ExitSignal extends Error {}

// Fields

function fields(data) {
  let at = 0;
  const take = (size) => {
    if (at + size > data.length) reallyExit(EXIT_VIOLATION);
    at += size;
    return data.subarray(at - size, at);
  };
  const reader = {
    u8: () => take(1)[0],
    u32: () => take(4).readUInt32LE(0),
    bytes: () => take(reader.u32()),
    text: () => reader.bytes().toString('utf8'),
    pairs: () => Array.from({ length: Math.min(reader.u32(), data.length) },
      () => [reader.text(), reader.text()]),
    end: () => { if (at !== data.length) reallyExit(EXIT_VIOLATION); },
  };
  return reader;
}

function u32(value) {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value);
  return data;
}

function field(data) {
  return Buffer.concat([u32(data.length), data]);
}

// Standard streams

function writeAll(fd, data) {
  let at = 0;
  while (at < data.length) {
    try {
      at += writeSync(fd, data, at);
    } catch (error) {
      if (error.code !== 'EAGAIN') return error;
      addon.writable(fd);
    }
  }
  return null;
}

// Writes at once, as node's own do on files and pipes; cannot be ended by the user.
function makeOutput(fd) {
  const { Writable } = require('node:stream');
  const stream = new Writable({
    decodeStrings: true,
    write(chunk, encoding, done) { done(writeAll(fd, chunk)); },
    destroy(error, done) { done(); },
  });
  stream.fd = fd;
  stream._type = 'fs';
  stream._isStdio = true;
  stream.destroySoon = stream.destroy = function destroy() { return this; };
  stream.end = function end(chunk, encoding, done) {
    if (typeof chunk === 'function') [chunk, done] = [null, chunk];
    if (typeof encoding === 'function') [encoding, done] = [null, encoding];
    if (chunk !== null && chunk !== undefined) this.write(chunk, encoding ?? undefined);
    if (done) process.nextTick(done);
    return this;
  };
  // A reader that has gone is no reason to end a session.
  stream.on('error', () => {});
  return stream;
}

function tellWaiting(on) {
  if (!cell || !cell.interactive || cell.waiting === on) return;
  cell.waiting = on;
  addon.send(CELLS, WAITING, Buffer.concat([u32(cell.number), Buffer.of(on ? 1 : 0)]));
}

function makeStdin() {
  // A description of its own, so that its being non-blocking stays with this stream.
  const fd = fs.openSync('/proc/self/fd/0', fs.constants.O_RDONLY);
  const stat = fs.fstatSync(fd);
  let stream;
  if (stat.isFIFO()) {
    const { Socket } = require('node:net');
    stream = new Socket({ fd, readable: true, writable: false, manualStart: true,
      highWaterMark: 0 });
    stream.on('pause', () => {
      if (stream._handle?.reading) {
        stream._handle.reading = false;
        stream._handle.readStop();
      }
      tellWaiting(false);
    });
    const { _read, push } = stream;
    stream._read = function read(size) { tellWaiting(true); _read.call(this, size); };
    stream.push = function pushed(...args) { tellWaiting(false); return push.apply(this, args); };
  } else {
    stream = new fs.ReadStream(null, { fd, autoClose: true });
  }
  Object.defineProperty(stream, 'fd', { value: 0, configurable: true, writable: true });
  return stream;
}

// Errors

// The call, below the last line of a cell, of the function that a cell that awaits is made into.
function isWrapper(line) {
  const place = line.match(/^\s+at <cell (\d+)>:(\d+):\d+( \{)?$/);
  return place !== null && Number(place[1]) === cell?.number && Number(place[2]) > cell.lines;
}

// The text of an error without frames of node's and ours.
function describe(error) {
  const text = error instanceof Error || util.types.isNativeError(error)
    ? inspect(error) : `Uncaught ${inspect(error)}`;
  const out = [];
  for (const line of text.split('\n')) {
    if (/^\s+at /.test(line) &&
        (line.includes('node:') || line.includes(__dirname) || isWrapper(line))) {
      if (line.endsWith(' {')) out.push(`${out.pop()} {`);
      continue;
    }
    out.push(line);
  }
  return `${out.join('\n')}\n`;
}

function complain(text) {
  const stderr = process.stderr;
  if (typeof stderr?.write === 'function') stderr.write(text);
  else writeAll(2, Buffer.from(text));
}

// Cells

let importer = null, importerPlace = null;

// import() as a module in the working directory would do it.
function importHere(specifier, _script, attributes) {
  const place = path.join(process.cwd(), '[cell]');
  if (importerPlace !== place) {
    const module = new Module(place);
    module.filename = place;
    module.paths = Module._nodeModulePaths(process.cwd());
    module._compile('exports.load = (specifier) => import(specifier);', place);
    importer = module.exports.load;
    importerPlace = place;
  }
  return importer(specifier);
}

// What newer versions of Node offer for the same; Node 18 wants --experimental-vm-modules for ours.
const LOADER = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER ?? importHere;

// A cell without any of this awaits, imports and declares nothing at its top and is no object.
const REWRITTEN = /^#!|^\s*\{|\b(?:await|class|const|export|function|import|let|var)\b/;

function compile(code, name) {
  const scriptOf = (text, prefix) => new vm.Script(text, {
    filename: name, columnOffset: -prefix, importModuleDynamically: LOADER });
  const build = (text) => {
    const { rewriteCell } = require('./rewrite.js');
    const script = rewriteCell(text);
    return { ...script, compiled: scriptOf(script.text, script.prefix) };
  };
  try {
    if (!REWRITTEN.test(code)) return { awaits: false, names: [], compiled: scriptOf(code, 0) };
  } catch (error) {
    // The way through the parser of our own tells more about a mistake.
    if (!(error instanceof SyntaxError)) throw error;
  }
  try {
    return build(code);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const stripped = require('./typescript.js').strip(code);
    if (stripped.code !== undefined) return build(stripped.code);
    throw syntaxError(code, name, error, stripped.error);
  }
}

// V8's own words where it stumbles over the same line as the TypeScript parser, else the latter's.
function syntaxError(code, name, error, other) {
  if (!other || other.line === error.loc?.line) {
    try {
      // Not at its own top level, where await would be the mistake.
      new vm.Script(`(async () => {\n${code}\n})`, { filename: name, lineOffset: -1 });
    } catch (own) {
      return own;
    }
  }
  const line = other?.line ?? error.loc?.line ?? 1;
  const column = other?.column ?? error.loc?.column ?? 0;
  const made = new SyntaxError(other?.text ?? error.message.replace(/ \(\d+:\d+\)$/, ''));
  const source = code.split('\n')[line - 1] ?? '';
  made.stack = `${name}:${line}\n${source}\n${' '.repeat(column)}^\n\nSyntaxError: ${made.message}`;
  return made;
}

// A global with a setter of node's would swallow `const crypto = require('crypto')`.
function makeRoom(names) {
  for (const name of names) {
    const found = Object.getOwnPropertyDescriptor(globalThis, name);
    if (found?.configurable && (found.get || found.set || !found.writable)) {
      Object.defineProperty(globalThis, name,
        { value: undefined, writable: true, configurable: true, enumerable: false });
    }
  }
}

function run(code, name) {
  const script = compile(code.replace(/^\ufeff/, ''), name);
  makeRoom(script.names);
  const result = script.compiled.runInThisContext({ displayErrors: false });
  return script.awaits ? result : { value: result };
}

function showValue(value) {
  if (value === undefined) return;
  let data = Buffer.from(inspect(value, REPL_INSPECT));
  cell.flags |= HAS_VALUE;
  if (data.length > VALUE_MAX) {
    let end = VALUE_MAX;
    while ((data[end] & 0xc0) === 0x80) end--;
    data = data.subarray(0, end);
    cell.flags |= VALUE_CUT;
  }
  cell.value = data;
}

function fail(error) {
  if (!cell) return;
  if (error instanceof ExitSignal) {
    finish();
  } else {
    cell.code = 1;
    try {
      complain(describe(error));
    } catch {
      complain('an error that cannot be shown\n');
    }
    finish();
  }
}

function interrupt() {
  cell.code = 130;
  cell.flags |= INTERRUPTED;
  finish();
}

function count(list) {
  const counts = new Map();
  for (const kind of list) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

// The code has returned and the loop has nothing of the cell left.
function atRest() {
  if (!cell || cell.started !== true) return;
  if (cell.pending) {
    complain('Warning: Detected unsettled top-level await\n');
    cell.code ??= EXIT_UNSETTLED;
  }
  finish();
}

function onIteration() {
  if (!cell || cell.pending || !cell.started) return;
  for (const [kind, number] of count(resources())) if (number > (baseline.get(kind) ?? 0)) return;
  finish();
}

function finish() {
  if (!cell || cell.finished) return;
  cell.finished = true;
  const done = cell;
  if (addon.interrupted()) {
    done.code = 130;
    done.flags |= INTERRUPTED;
  }
  let code = done.code ?? process.exitCode ?? 0;
  if (done.final) {
    try {
      emit('exit', code);
      code = done.code ?? process.exitCode ?? code;
    } catch (error) {
      if (!(error instanceof ExitSignal)) complain(describe(error));
      code = done.code ?? 1;
    }
  }
  tellWaiting(false);
  lastStdin?.destroy();
  lastStdin = null;
  process.exitCode = undefined;
  done.program.leave();
  for (const [name, value] of done.before) setVariable(name, value);
  // The interrupted or failed cell's remains go on without holding the next.
  baseline = count(resources());
  addon.watch(0);
  listen();
  addon.hold(1);
  addon.rest();
  cell = null;
  if (done.answer === READY) {
    addon.send(CELLS, READY, Buffer.alloc(0));
    return;
  }
  addon.send(CELLS, DONE, Buffer.concat([u32(done.number), u32(Number(code) & 0xff),
    Buffer.of(done.flags), field(done.value)]));
}

function setVariable(name, value) {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

// Starts a cell; what its end is told with is DONE except for the first, which is ours.
function startCell(payload, answer = DONE) {
  const f = fields(payload);
  const number = f.u32(), flags = f.u8(), env = f.pairs();
  const program = new Program(f.text(), f.bytes());
  const given = f.text();
  f.end();
  if (cell) reallyExit(EXIT_VIOLATION);
  const early = (addon.settle() === 1 || earlyInterrupt) && (flags & CELL_STALE_SIGINT) === 0;
  earlyInterrupt = false;
  addon.put();
  const code = program.enter(given);
  cell = {
    program,
    answer, number, flags: 0, value: Buffer.alloc(0), code: undefined, pending: false, started: false,
    finished: false, lines: code.split('\n').length, waiting: false,
    interactive: (flags & CELL_INTERACTIVE) !== 0,
    final: (flags & CELL_FINAL) !== 0, before: env.map(([name]) => [name, process.env[name]]),
  };
  for (const [name, value] of env) process.env[name] = value;
  addon.hold(0);
  listen();
  if (!early) {
    perform(code, program.file || `<cell ${number}>`);
    return;
  }
  cell.started = true;
  interrupt();
}

// Timers' callbacks run where an interrupt of a busy one ends in them and not in node's lists.
function guardTimers() {
  for (const name of ['setTimeout', 'setInterval', 'setImmediate']) {
    const original = globalThis[name];
    const guarded = { [name](callback, ...rest) {
      if (typeof callback !== 'function') return original(callback, ...rest);
      return original(function guard(...args) {
        let thrown = null;
        addon.attempt(() => {
          try {
            callback.apply(this, args);
          } catch (error) {
            thrown = { error };
          }
        });
        if (thrown !== null) throw thrown.error;
      }, ...rest);
    } }[name];
    for (const key of Reflect.ownKeys(original)) {
      if (key === 'prototype') continue;
      Object.defineProperty(guarded, key, Object.getOwnPropertyDescriptor(original, key));
    }
    globalThis[name] = guarded;
  }
}

// What user code may have undone.
function listen() {
  if (!process.listeners('beforeExit').includes(atRest)) {
    process.prependListener('beforeExit', atRest);
  }
  if (process.listenerCount('SIGINT') === 0) addon.listen();
}

function perform(code, name) {
  const mine = cell;
  const current = () => cell === mine && !mine.finished;
  let result, thrown = null;
  const whole = addon.attempt(() => {
    try {
      result = run(code, name);
    } catch (error) {
      thrown = { error };
    }
  });
  if (!whole) {
    mine.started = true;
    if (current()) interrupt();
    return;
  }
  try {
    if (thrown !== null) throw thrown.error;
    if (typeof result?.then === 'function') {
      mine.pending = true;
      result.then((settled) => {
        mine.pending = false;
        if (current()) showValueOf(settled?.value);
      }, (error) => {
        mine.pending = false;
        if (current()) fail(error);
      });
    } else {
      showValueOf(result.value);
    }
  } catch (error) {
    mine.started = true;
    fail(error);
    return;
  }
  mine.started = true;
  if (!current()) return;
  listen();
  if (baseline.size > 0) {
    addon.watch(1);
    setImmediate(onIteration);
  }
}

function showValueOf(value) {
  try {
    showValue(value);
  } catch (error) {
    fail(error);
  }
}

// Settings

// Numbers from 128 bits of state (xorshift), because V8's own cannot be seeded again after a
// restore from a template.
function makeRandom() {
  const state = new Uint32Array(4);
  const next = () => {
    let t = state[3];
    const s = state[0];
    state[3] = state[2];
    state[2] = state[1];
    state[1] = s;
    t ^= t << 11;
    t ^= t >>> 8;
    return state[0] = t ^ s ^ (s >>> 19);
  };
  const seed = (data) => {
    state.fill(0x9e3779b9);
    for (let at = 0; at < data.length; at++) {
      state[(at >> 2) & 3] ^= data[at] << (8 * (at & 3));
      if ((at & 15) === 15) next();
    }
    if (state.every((word) => word === 0)) state[0] = 1;
    for (let n = 0; n < 16; n++) next();
  };
  const random = (() => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992).bind();
  Object.defineProperty(random, 'name', { value: 'random', configurable: true });
  Object.defineProperty(Math, 'random',
    { value: random, writable: true, configurable: true, enumerable: false });
  return seed;
}

const seedRandom = makeRandom();

function settings(payload) {
  const f = fields(payload);
  const entropy = f.bytes(), env = f.pairs();
  f.end();
  for (const [name, value] of env) process.env[name] = value;
  if (entropy.length) {
    seedRandom(entropy);
    addon.reseed();
  }
  addon.send(CELLS, SETTLED, Buffer.alloc(0));
}

// Loads what most sessions need sooner or later.
function prepare() {
  require('./rewrite.js');
  require('./complete.js');
  addon.send(CELLS, PREPARED, Buffer.alloc(0));
}

// Start

function answerQuestion(type, payload) {
  const { answer } = require('./complete.js');
  addon.send(QUERIES, ...answer(type, fields(payload), { u32, field, reallyExit, lazyGetters }));
}

function onInterrupt() {
  if (!cell) {
    earlyInterrupt = true;
    return;
  }
  cell.started = true;
  interrupt();
}

function onMessage(channel, type, payload) {
  if (channel === ITERATION) onIteration();
  else if (channel === QUERIES) answerQuestion(type, payload);
  else if (channel === INTERRUPT) onInterrupt();
  // One turn later, so that the cell does not run inside of the reading of its channel.
  else if (type === CELL) setImmediate(startCell, payload);
  else if (type === SETTINGS) settings(payload);
  else if (type === PREPARE) prepare();
  else reallyExit(EXIT_VIOLATION);
}

function prepareGlobals() {
  const main = new Module('.');
  main.filename = null;
  const here = () => createRequire(path.join(process.cwd(), '[cell]'));
  const load = function require(id) { return here()(id); };
  load.resolve = (...args) => here().resolve(...args);
  load.cache = Module._cache;
  load.extensions = Module._extensions;
  load.main = main;
  process.mainModule = undefined;
  const given = { require: load, module: main, exports: main.exports };
  for (const [name, value] of Object.entries(given)) {
    Object.defineProperty(globalThis, name,
      { value, writable: true, configurable: true, enumerable: false });
  }
  process.argv.length = 1;
  process.execArgv.length = 0;
  const define = (name, get) => Object.defineProperty(process, name,
    { get, configurable: true, enumerable: true });
  const out = makeOutput(1), err = makeOutput(2);
  define('stdout', () => out);
  define('stderr', () => err);
  define('stdin', () => lastStdin ??= makeStdin());
  process.exit = function exit(code) {
    if (code !== undefined) process.exitCode = code;
    if (!cell) return undefined;
    cell.code = process.exitCode ?? 0;
    process.nextTick(() => { if (cell?.code !== undefined && cell.started) finish(); });
    throw new ExitSignal('process.exit');
  };
  process.setUncaughtExceptionCaptureCallback((error) => {
    if (cell && !(error instanceof ExitSignal) && process.listenerCount('uncaughtException') > 0) {
      emit('uncaughtException', error, 'uncaughtException');
    } else {
      fail(error);
    }
  });
}

// Runs a cell of our own all the way, so that the first one of the user finds everything in place.
function warmUp() {
  // In a block: what a script declares at its top cannot be deleted again.
  const code = Buffer.from('{ const x = 1; console.log(x); }\n[x => x]');
  startCell(Buffer.concat([u32(0), Buffer.of(CELL_STALE_SIGINT), u32(0), u32(0), u32(0),
    field(code)]), READY);
}

seedRandom(addon.entropy());
prepareGlobals();
guardTimers();
process.on('beforeExit', atRest);
addon.start(onMessage);
addon.listen();
setImmediate(warmUp);
