// SPDX-License-Identifier: Apache-2.0
'use strict';
// The user's functions, called so that what stops them (an interrupt, the end of the cell) ends
// here and not in what called us.  Its frames are left out in the middle of a stack (stacks.js).

const { Object, Reflect } = globalThis;
const addon = require('./addon.node');

const { apply, ownKeys } = Reflect;

// Runs work(): null, or { stopped: true }, or { error } with what it threw.
function attempt(work) {
  let thrown = null;
  const whole = addon.attempt(() => {
    try {
      work();
    } catch (error) {
      thrown = { error };
    }
  });
  return whole ? thrown : { stopped: true };
}

// Timers' callbacks: node's lists of them would not survive to be given up in the middle.
// track(timer) is told of each that begins, called(timer, run) calls run() for its callback.
function guardTimers(track, called) {
  for (const name of ['setTimeout', 'setInterval', 'setImmediate']) {
    const original = globalThis[name];
    const guarded = { [name](callback, ...rest) {
      if (typeof callback !== 'function') return original(callback, ...rest);
      const guard = function (...args) {
        const ended = called(timer, () => attempt(() => apply(callback, this, args)));
        if (ended !== null && !ended.stopped) throw ended.error;
      };
      Object.defineProperty(guard, 'name', { value: callback.name, configurable: true });
      const timer = original(guard, ...rest);
      track(timer);
      return timer;
    } }[name];
    for (const key of ownKeys(original)) {
      if (key !== 'prototype') {
        Object.defineProperty(guarded, key, Object.getOwnPropertyDescriptor(original, key));
      }
    }
    globalThis[name] = guarded;
  }
}

module.exports = { attempt, guardTimers };
