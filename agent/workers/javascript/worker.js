// SPDX-License-Identifier: Apache-2.0
'use strict';
// The JavaScript worker: runs cells that the agent sends (docs/guest.md, "Control channel").
//
// Theory of operation
// -------------------
// A cell is rewritten (rewrite.js) and run as a script in the one global scope.  It is over when
// its code has returned and the event loop has nothing of it left (hold.js): while it runs, the
// channels do not keep the loop alive, so that `beforeExit` tells the end.  What an interrupted,
// failed or exited cell leaves in the loop goes on but does not hold the cells after it.
//
// A final cell is a program: it ends as node's process does, and takes this one with it.
//
// - A last expression's value comes back as node's prompt shows it; undefined is no value.
// - process.exit(n) ends the cell with n (exit.js), an uncaught exception or rejection with 1;
//   state stays.
// - SIGINT ends the cell with 130, a busy loop too (addon.c) and also one that has not begun yet,
//   unless the user listens to it; what comes behind the end of a cell is forgotten.
// - process.stdin is new in each cell; only reads through it announce that the cell waits.
// - Code that is no JavaScript is tried as TypeScript (typescript.js), outside of this process, so
//   that an interrupt need not wait for it.

const { inspect, types } = require('node:util');
const vm = require('node:vm');
const addon = require('./addon.node');
const compile = require('./compile.js');
const exit = require('./exit.js');
const face = require('./face.js');
const { attempt, guardTimers } = require('./guard.js');
const hold = require('./hold.js');
const names = require('./names.js');
const { Program } = require('./program.js');
const { callsWithTypes } = require('./rewrite.js');
const stacks = require('./stacks.js');
const { encoded, writeAll, makeOutput, makeStdin, renew } = require('./streams.js');
const typescript = require('./typescript.js');
const { cut, field, fields, joined, u8, u32, violation } = require('./wire.js');

const CELLS = 0, QUERIES = 1, ITERATION = 2, INTERRUPT = 3, STOPPED = 4;
const CELL = 1, SETTINGS = 2, READY = 3, DONE = 4, SETTLED = 5, WAITING = 7;
const PREPARE = 8, PREPARED = 9, ENDING = 10, BEGUN = 11;
const CELL_FINAL = 2, CELL_INTERACTIVE = 1, CELL_STALE_SIGINT = 4;
const HAS_VALUE = 1, INTERRUPTED = 2, VALUE_CUT = 4;
const VALUE_MAX = 1 << 20;
const EXIT_UNSETTLED = 13, EXIT_INTERRUPTED = 130;
const NOTHING = encoded('');
const REPL_INSPECT = { showProxy: true };

const { apply } = Reflect;
const { then } = Promise.prototype;
const { isNativeError } = types;
const { emit, listenerCount, listeners, prependListener } = process;
const { runInContext } = Object.getPrototypeOf(vm.Script.prototype);
// Globals of node's that are made when first used: completion may do so.
const lazyGetters = new Set(Object.values(Object.getOwnPropertyDescriptors(users.global))
  .map((found) => found.get).filter(Boolean));

// Of the running cell, or null between cells.
let cell = null;
// A callback runs that an earlier cell has left.
let leftRuns = false;
let lastStdin = null;
let outputs = [];
// A SIGINT came between cells: it may be meant for the cell that is on its way.
let earlyInterrupt = false;

function tellWaiting(on) {
  if (!cell || !cell.interactive || cell.waiting === on) return;
  cell.waiting = on;
  addon.send(CELLS, WAITING, joined(u32(cell.number), u8(on ? 1 : 0)));
}

// Errors

// The text of an error without frames of node's.
function describe(error) {
  if (names.shaped.has(error)) return `${error.stack}\n`;
  const text = error instanceof users.Error || isNativeError(error)
    ? inspect(error) : `Uncaught ${inspect(error)}`;
  const out = [];
  for (const line of stacks.plain(text).split('\n')) {
    if (/^\s+at /.test(line) && line.includes('node:')) {
      if (line.endsWith(' {')) out.push(`${out.pop()} {`);
      continue;
    }
    out.push(line);
  }
  return `${out.join('\n')}\n`;
}

function write(text) {
  const stderr = process.stderr;
  if (typeof stderr?.write === 'function') stderr.write(text);
  else writeAll(2, encoded(text));
}

// Of an error that node's own way of showing one stumbles over.
const describeStack = ({ stack }) => `${stacks.plain(stack)}\n`;
const describePlainly = ({ name, message }) => `Uncaught ${name}: ${message}\n`;

function complain(error) {
  for (const way of [describe, describeStack, describePlainly]) {
    if (attempt(() => write(way(error)))?.stopped !== false) return;
  }
  writeAll(2, encoded('an error that cannot be shown\n'));
}

// Cells

// Runs the script with no frame of ours or node's below it; nothing is given back but its value.
function runScript(script) {
  return apply(runInContext, script, [null, -1, false, false, false]);
}

function showValue(value) {
  let data = encoded(inspect(value, REPL_INSPECT));
  cell.flags |= HAS_VALUE;
  if (data.length > VALUE_MAX) {
    let end = VALUE_MAX;
    while ((data[end] & 0xc0) === 0x80) end--;
    data = cut(data, 0, end);
    cell.flags |= VALUE_CUT;
  }
  cell.value = data;
}

function showValueOf(value) {
  if (value !== undefined) deal(attempt(() => showValue(value)));
}

function fail(error) {
  if (!cell || cell.ended) return;
  complain(error);
  if (cell.ended) {
    finish();
  } else if (cell.final) {
    tellEnding();
    exit.exit(1);
  } else {
    cell.code = 1;
    finish();
  }
}

function interrupt() {
  cell.code = EXIT_INTERRUPTED;
  cell.flags |= INTERRUPTED;
  finish();
}

// What attempt() says of code of the running cell's.
function deal(ended) {
  if (ended === null || !cell) return;
  if (!ended.stopped) fail(ended.error);
  else if (cell.ended) finish();
  else interrupt();
}

// The code has returned and the loop has nothing of the cell left.
function atRest() {
  if (!cell || cell.started !== true) return;
  if (cell.pending) {
    write('Warning: Detected unsettled top-level await\n');
    if (cell.final) process.exitCode ??= EXIT_UNSETTLED;
    else cell.code ??= EXIT_UNSETTLED;
  }
  // A program ends by node's own hand, if the user's `beforeExit` does not go on with it.
  if (!cell.final) finish();
}

// The loop goes on when all promises and ticks of the code have had their turn, for something is
// there.  When nothing is, nothing can come, and node itself tells that the loop has run dry.
function onIteration() {
  if (cell && !cell.final && cell.started && !cell.pending && !hold.waits()) finish();
}

// The last word about a cell with which the process ends.
function tellEnding() {
  if (!cell?.final || cell.told) return;
  cell.told = true;
  tellWaiting(false);
  addon.send(CELLS, ENDING, joined(u32(cell.number), u8(cell.flags), field(cell.value)));
}

function depart(code) {
  tellEnding();
  addon.depart(cell.number, Number(code) & 0xff);
}

const LAST_STEPS = [
  (done) => done.giveUp?.(),
  () => lastStdin?.destroy(),
  () => { process.exitCode = undefined; },
  exit.settle,
  (done) => done.program.leave(),
  (done) => { for (const [name, value] of done.before) setVariable(name, value); },
  hold.leave,
  listen,
];

function finish() {
  if (!cell || cell.finished) return;
  cell.finished = true;
  const done = cell;
  if (addon.interrupted()) {
    done.code = EXIT_INTERRUPTED;
    done.flags |= INTERRUPTED;
  }
  const code = Number(done.code ?? process.exitCode ?? 0) & 0xff;
  if (done.final) {
    tellEnding();
    exit.reallyExit(code);
  }
  tellWaiting(false);
  if (done.names !== null) names.release(done.names);
  for (const step of LAST_STEPS) {
    try {
      step(done);
    } catch {
      // Of what users may replace: nothing of it keeps a cell from its end.
    }
  }
  lastStdin = null;
  addon.watch(0);
  addon.hold(1);
  addon.rest();
  cell = null;
  if (done.answer === READY) {
    addon.send(CELLS, READY, NOTHING);
    return;
  }
  addon.send(CELLS, DONE, joined(u32(done.number), u32(code), u8(done.flags), field(done.value)));
}

// False where a program has made something else of its environment that takes none.
function setVariable(name, value) {
  const { env } = process;
  if (typeof env !== 'object' || env === null) return false;
  return value === undefined ? Reflect.deleteProperty(env, name) : Reflect.set(env, name, value);
}

// Sets the variables of a cell; what they were before.
function setVariables(pairs) {
  return pairs.map(([name, value]) => {
    const before = [name, process.env?.[name]];
    setVariable(name, value);
    return before;
  });
}

// Starts a cell; what its end is told with is DONE except for the first, which is ours.
function startCell(payload, answer = DONE) {
  const f = fields(payload);
  const number = f.u32(), flags = f.u8(), env = f.pairs();
  const program = new Program(f.text(), f.text().split('\0').slice(0, -1));
  const given = f.text();
  f.end();
  if (cell) violation();
  const early = (addon.settle() === 1 || earlyInterrupt) && (flags & CELL_STALE_SIGINT) === 0;
  earlyInterrupt = false;
  // What was left over is forgotten: a SIGINT from here on is meant for the cell.
  if (flags & CELL_STALE_SIGINT && answer === DONE) addon.send(CELLS, BEGUN, u32(number));
  addon.put();
  cell = {
    program,
    answer, number, flags: 0, value: NOTHING, code: undefined, pending: false,
    started: false, ended: false, finished: false, told: false,
    waiting: false, names: null, giveUp: null,
    interactive: (flags & CELL_INTERACTIVE) !== 0,
    final: (flags & CELL_FINAL) !== 0, before: [],
  };
  addon.hold(0);
  try {
    program.enter();
    cell.before = setVariables(env);
    if (cell.final) {
      apply(prependListener, process, ['exit', tellEnding]);
      exit.departAfterListeners({ depart });
    }
    listen();
    outputs.forEach(renew);
  } catch (error) {
    cell.started = true;
    fail(error);
    return;
  }
  if (!early) {
    begin(program, given, `<cell ${number}>`);
    return;
  }
  cell.started = true;
  interrupt();
}

// A mark of byte order is no part of the text.
const withoutMark = (text) => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);

// Reads the file that a cell may be. One that is final node runs by itself.
function begin(program, given, name) {
  if (program.file === '') {
    perform(withoutMark(given), name);
    return;
  }
  const alone = cell.final;
  let code = '';
  const ended = attempt(() => {
    if (alone) program.launch();
    else code = withoutMark(program.code());
  });
  if (ended !== null) {
    cell.started = true;
    deal(ended);
  } else if (!alone) {
    perform(code, program.file);
  }
}

// What user code may have undone.
function listen() {
  if (typeof process.emit !== 'function') process.emit = emit;
  const { _events: events } = process;
  if (typeof events !== 'object' || events === null) process._events = { __proto__: null };
  if (process._events.beforeExit !== atRest && !isHeard('beforeExit', atRest)) {
    apply(prependListener, process, ['beforeExit', atRest]);
  }
  if (apply(listenerCount, process, ['SIGINT']) === 0) addon.listen();
}

function isHeard(event, listener) {
  const heard = apply(listeners, process, [event]);
  for (let at = 0; at < heard.length; at++) if (heard[at] === listener) return true;
  return false;
}

// A session that has been TypeScript stays it: `a<b>(c)` is a call with types then.
let typed = false;
const TYPED_CALL = /[\w$\])]<[^;{}()]*>\s*[(`]/;

function isTyped(code, problem) {
  if (problem !== null) return typescript.maybe(code);
  if (!code.includes('>')) return false;
  return (typed && TYPED_CALL.test(code)) || callsWithTypes(code);
}

// Makes scripts of the code and runs them, if need be when the types have been taken out.
function perform(code, name) {
  const mine = cell;
  let script = null, problem = null, types = false;
  const ended = attempt(() => {
    try {
      script = compile.build(code, name);
    } catch (error) {
      problem = error;
      script = isMistake(error) ? compile.asItIs(code, name) : null;
      if (script !== null) problem = null;
    }
    types = typescript.isFile(name) || isTyped(code, problem);
  });
  if (ended !== null) {
    mine.started = true;
    deal(ended);
  } else if (!types) {
    if (script === null) refuse(code, name, problem, null);
    else launch(script, { code, source: code, placeOf: null, name });
  } else {
    mine.giveUp = typescript.strip(code, (stripped) => {
      mine.giveUp = null;
      if (cell === mine && !mine.finished) performStripped(code, name, { script, problem, stripped });
    });
  }
}

function performStripped(code, name, { script, problem, stripped }) {
  if (stripped.signal === 'SIGINT') {
    cell.started = true;
    interrupt();
  } else if (stripped.code === undefined) {
    if (script === null) refuse(code, name, problem, stripped.error);
    else launch(script, { code, source: code, placeOf: null, name });
  } else {
    typed = true;
    const { placeOf } = stripped;
    let plain = null;
    const ended = attempt(() => { plain = compile.build(stripped.code, name); });
    if (ended?.error) refuse(code, name, ended.error, compile.moved(stripped.code, ended.error, placeOf));
    else if (ended !== null) deal(ended);
    else launch(plain, { code: stripped.code, source: code, placeOf, name });
  }
}

const isMistake = (error) => error instanceof users.SyntaxError || error instanceof SyntaxError;

function refuse(code, name, problem, other) {
  cell.started = true;
  fail(isMistake(problem) ? compile.mistake(code, name, problem, other) : problem);
}

function launch(script, text) {
  const mine = cell;
  const current = () => cell === mine && !mine.finished;
  let result = null;
  names.begin(text, mine.program.file, typed);
  stacks.setPlaces(text.name, script.placeOf, text.placeOf);
  names.declare(script.names);
  mine.names = script.names;
  const ended = attempt(() => {
    if (script.before !== null) runScript(script.before);
    result = runScript(script.main);
  });
  mine.started = true;
  if (!current()) return;
  if (ended !== null) {
    deal(ended);
    return;
  }
  mine.names = null;
  if (script.awaits) {
    mine.pending = true;
    apply(then, result, [(settled) => {
      mine.pending = false;
      if (current()) showValueOf(settled?.value);
    }, (error) => {
      mine.pending = false;
      if (current()) fail(error);
    }]);
  } else {
    showValueOf(result);
  }
  if (!current()) return;
  listen();
  if (!mine.final) addon.watch(1);
}

// Settings

function settings(payload) {
  const f = fields(payload);
  const entropy = f.bytes(), env = f.pairs();
  f.end();
  for (const [name, value] of env) process.env[name] = value;
  if (entropy.length) {
    face.seed(entropy);
    addon.reseed();
  }
  addon.send(CELLS, SETTLED, NOTHING);
}

// Loads what most sessions need sooner or later.
function prepare() {
  require('./complete.js');
  // Once, so that the first cell of the user's need not wait for its file to be read.
  typescript.strip('let x: number', () => addon.send(CELLS, PREPARED, NOTHING));
}

// Start

function answerQuestion(type, payload) {
  const { answer } = require('./complete.js');
  answer(type, fields(payload), lazyGetters, (...reply) => addon.send(QUERIES, ...reply));
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
  else if (channel === STOPPED) deal({ stopped: true });
  // One turn later, so that the cell does not run inside of the reading of its channel.
  else if (type === CELL) setImmediate(() => startCell(payload)); // node spreads arguments by what users may break
  else if (type === SETTINGS) settings(payload);
  else if (type === PREPARE) prepare();
  else violation();
}

function prepareGlobals() {
  const out = makeOutput(1), err = makeOutput(2);
  outputs = [out, err];
  face.prepare({ stdout: () => out, stderr: () => err, stdin: () => lastStdin ??= makeStdin(tellWaiting) });
  exit.install({ cell: () => (leftRuns ? null : cell), complain, depart, tellEnding });
  process.setUncaughtExceptionCaptureCallback((error) => {
    if (cell && !cell.ended && apply(listenerCount, process, ['uncaughtException']) > 0) {
      apply(emit, process, ['uncaughtException', error, 'uncaughtException']);
    } else {
      fail(error);
    }
  });
}

function callTimer(timer, run) {
  const before = leftRuns;
  leftRuns = hold.isLeft(timer);
  const ended = run();
  leftRuns = before;
  // What an exit or an interrupt has stopped is over; a thrown error goes on by itself.
  if (ended?.stopped && cell?.ended) finish();
  return ended;
}

// Runs a cell of our own all the way, so that the first one of the user finds everything in place.
function warmUp() {
  // In a block: what a script declares at its top cannot be deleted again.
  const code = encoded('{ const x = 1; console.log(x); }\n[x => x]');
  startCell(joined(u32(0), u8(CELL_STALE_SIGINT), u32(0), u32(0), u32(0), field(code)), READY);
}

face.seed(addon.entropy());
prepareGlobals();
guardTimers((timer) => hold.track(timer, leftRuns), callTimer);
names.start();
compile.warmUp();
apply(prependListener, process, ['beforeExit', atRest]);
addon.start(onMessage);
addon.traces(stacks.shown);
addon.listen();
setImmediate(warmUp);
