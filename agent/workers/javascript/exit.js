// SPDX-License-Identifier: Apache-2.0
'use strict';
// process.exit() and its kin: the end of the program that a cell is.
//
// In a final cell they are node's own, and the process ends.  In a session the process stays: what
// runs is given up by V8 (addon.c, stop), which nothing can catch, and what waits in the queues of
// promises and of process.nextTick() is dropped, for nothing else than what just ran can have put
// it there.  `exit` listeners have run then, once: they are taken out.

const { Number } = globalThis;
const { createHook, executionAsyncResource } = require('node:async_hooks');
const { signals } = require('node:os').constants;
const addon = require('./addon.node');

const EXIT_SIGNAL = 128;
// What ends a process that does not listen to it; SIGKILL does in any case, and is left to.
const FATAL = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE',
  'SIGSEGV', 'SIGUSR2', 'SIGALRM', 'SIGTERM', 'SIGSTKFLT', 'SIGXCPU', 'SIGXFSZ', 'SIGVTALRM',
  'SIGPROF', 'SIGIO', 'SIGPWR', 'SIGSYS'];

const { process } = globalThis;
const { listenerCount, removeAllListeners } = process;
const emit = process.emit.bind(process);
const { defineProperty, getOwnPropertyDescriptor } = Object;
const runTicks = process._tickCallback;
const native = {
  exit: process.exit, reallyExit: process.reallyExit, kill: process.kill,
};
const { apply } = Reflect;
const nothing = () => {};

const stubTicks = createHook({
  before() {
    const tick = executionAsyncResource();
    if (typeof tick?.callback === 'function') tick.callback = nothing;
  },
});

function dropTicks() {
  const own = getOwnPropertyDescriptor(process, 'emit');
  // Of rejections that nobody has handled yet.
  process.emit = () => true;
  stubTicks.enable();
  try {
    runTicks();
  } finally {
    stubTicks.disable();
    if (own) defineProperty(process, 'emit', own);
    else delete process.emit;
  }
}

// Does the signal end this process?
function fatal(pid, signal) {
  if (pid != process.pid) return 0;
  const named = signal ?? 'SIGTERM';
  for (let at = 0; at < FATAL.length; at++) {
    const name = FATAL[at];
    if ((named === name || named === signals[name]) && apply(listenerCount, process, [name]) === 0) {
      return signals[name];
    }
  }
  return 0;
}

// Node's last word to a program that ends by itself, or by process.exit(), are its `exit` listeners.
// What comes behind them, taking V8's heap apart, costs a fifth of a second without hardware help and
// shows in nothing: the result is told instead, and the process is gone.  (An error that nobody has
// handled is printed after the listeners; they are called with its status then, not with 0.)
function departAfterListeners(host) {
  const before = process.emit;
  defineProperty(process, 'emit', {
    writable: true, configurable: true, enumerable: false,
    value: function emit(...args) {
      const heard = apply(before, this, args);
      if (args[0] === 'exit' && args[1] === 0 && process._exiting) {
        host.depart(process.exitCode ?? 0);
      }
      return heard;
    },
  });
}

// `host` has cell(), the cell that what runs belongs to or null, complain(error), tellEnding(), the
// word that a final cell owes before the process ends, and depart(code), which ends it.
function install(host) {
  // Does not return, and nothing of what called it goes on.
  const end = (code) => {
    const cell = host.cell();
    if (cell && !cell.ended) {
      cell.ended = true;
      cell.code = Number(code) || 0;
    }
    addon.drop();
    dropTicks();
    for (;;) addon.stop();
  };

  const define = (name, value) => defineProperty(process, name,
    { value, writable: true, configurable: true, enumerable: true });

  define('exit', function exit(code) {
    const cell = host.cell();
    if (code !== undefined) process.exitCode = code;
    if (cell?.final) {
      host.tellEnding();
      return apply(native.exit, process, []);
    }
    if (cell && !process._exiting) {
      process._exiting = true;
      try {
        emit('exit', process.exitCode || 0);
      } catch (error) {
        host.complain(error);
        process.exitCode = 1;
      }
    }
    return end(process.exitCode || 0);
  });
  define('reallyExit', function reallyExit(code) {
    if (host.cell()?.final) {
      return host.depart(code);
    }
    return end(code);
  });
  define('abort', function abort() {
    // Without node's report, which would tell of our calls.
    if (host.cell()?.final) apply(native.kill, process, [process.pid, 'SIGABRT']);
    return end(EXIT_SIGNAL + signals.SIGABRT);
  });
  define('kill', function kill(pid, signal) {
    const number = host.cell()?.final ? 0 : fatal(pid, signal);
    return number ? end(EXIT_SIGNAL + number) : apply(native.kill, process, [pid, signal]);
  });
}

// After the end of a cell that called it.
function settle() {
  if (!process._exiting) return;
  process._exiting = false;
  apply(removeAllListeners, process, ['exit']);
}

module.exports = { departAfterListeners, install, settle, exit: (code) => apply(native.exit, process, [code]),
  reallyExit: (code) => apply(native.reallyExit, process, [code]) };
