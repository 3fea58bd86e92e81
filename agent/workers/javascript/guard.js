// SPDX-License-Identifier: Apache-2.0
'use strict';
// The user's functions, called so that what stops them (an interrupt, the end of the cell) ends
// here and not in what called us.  Its frames are left out in the middle of a stack (stacks.js).

const addon = require('./addon.node');

const { apply, ownKeys } = Reflect;
const { defineProperty, getOwnPropertyDescriptor } = Object;

// Runs work(): null, or what ended it: { stopped: true } or { stopped: false, error }.
function attempt(work) {
  let thrown = null;
  const whole = addon.attempt(() => {
    try {
      work();
    } catch (error) {
      thrown = { stopped: false, error };
    }
  });
  return whole ? thrown : { stopped: true, error: null };
}

// Timers' callbacks: node's lists of them would not survive to be given up in the middle.
// track(timer) is told of each that begins, called(timer, run) calls run() for its callback.
function guardTimers(track, called) {
  for (const name of ['setTimeout', 'setInterval', 'setImmediate']) {
    const original = globalThis[name];
    const guarded = { [name](callback) {
      if (typeof callback !== 'function') return apply(original, undefined, arguments);
      const guard = function (...args) {
        const ended = called(timer, () => attempt(() => apply(callback, this, args)));
        if (ended !== null && !ended.stopped) throw ended.error;
      };
      defineProperty(guard, 'name', { value: callback.name, configurable: true });
      arguments[0] = guard;
      const timer = apply(original, undefined, arguments);
      track(timer);
      return timer;
    } }[name];
    for (const key of ownKeys(original)) {
      if (key !== 'prototype') {
        defineProperty(guarded, key, getOwnPropertyDescriptor(original, key));
      }
    }
    globalThis[name] = guarded;
  }
}

module.exports = { attempt, guardTimers };
