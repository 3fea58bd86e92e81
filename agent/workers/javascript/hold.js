// SPDX-License-Identifier: Apache-2.0
'use strict';
// What in the event loop a running cell waits for.
//
// A cell of a session is over when its code has returned, the promise at its top has settled and
// the loop holds nothing more that the cell started: timers, sockets, files, children.  Not counted
// are what earlier cells left, and servers: one that listens, and the connections that it has
// accepted, go on behind the end of the cell, so that the next one can ask them.
//
// When nothing of that kind is there, node itself tells when the loop has run dry.  Else all of it
// is taken out for the moment of the question (unref), and the loop asked whether it would end.
// Timers are one handle for the loop: those of earlier cells are told apart by their objects where
// the user made them with the global functions, by their number where somebody else did.

const addon = require('./addon.node');

const { apply } = Reflect;
const resources = process.getActiveResourcesInfo.bind(process);
const activeHandles = process._getActiveHandles.bind(process);
const PRUNE_AT = 1000;

const leftHandles = new WeakSet();

function alive(timer) {
  return !timer._destroyed && timer._onTimeout !== null && timer.hasRef();
}

function prune(timers) {
  for (const timer of timers) if (!alive(timer)) timers.delete(timer);
  return timers.size;
}

// Timers, or immediates: those of the running cell, and those that earlier ones left, with what
// they have made since.
class Timers {
  constructor() {
    this.own = new Set();
    this.left = new Set();
    this.other = 0; // of earlier cells, known by their number only
    this.limit = PRUNE_AT;
  }

  add(timer, isLeft) {
    (isLeft ? this.left : this.own).add(timer);
    if (this.own.size + this.left.size < this.limit) return;
    this.limit = 2 * (prune(this.own) + prune(this.left)) + PRUNE_AT;
  }

  // Does the running cell wait for some of them?
  hold(count) {
    const mine = prune(this.own), theirs = prune(this.left);
    this.other = Math.min(this.other, Math.max(0, count - theirs - mine));
    return count > theirs + this.other;
  }

  get apart() {
    return this.left.size + this.other;
  }

  leave(count) {
    const mine = prune(this.own), theirs = prune(this.left);
    this.other = Math.max(0, count - theirs - mine);
    for (const timer of this.own) this.left.add(timer);
    this.own.clear();
  }

  clear() {
    this.own.clear();
    this.left.clear();
    this.other = 0;
  }
}

const timers = new Timers(), immediates = new Timers();

// One that the running cell, or what earlier ones left (`isLeft`), has made.
function track(timer, isLeft) {
  (timer._onTimeout === undefined ? immediates : timers).add(timer, isLeft);
}

function count() {
  const found = { timers: 0, immediates: 0 };
  const kinds = resources();
  for (let at = 0; at < kinds.length; at++) {
    const kind = kinds[at];
    if (kind === 'Timeout') found.timers++;
    else if (kind === 'Immediate') found.immediates++;
  }
  return found;
}

// Does it serve: a server that listens, or a connection that one has accepted?
function serves(handle) {
  return (typeof handle.listen === 'function' && handle._connectionKey !== undefined) ||
    (handle._server !== undefined && handle._server !== null);
}

function toggle(handles, name) {
  for (const handle of handles) {
    const inner = typeof handle._handle?.[name] === 'function' ? handle._handle : handle;
    if (typeof inner[name] === 'function') apply(inner[name], inner, []);
  }
}

// Is there nothing at all, of this cell or of earlier ones?  Timers and immediates are in node's list
// only, work for the threads of its pool in libuv's only.
function isEmpty() {
  return resources().length === 0 && !addon.alive();
}

// Is something there that the running cell has to wait for, or that node will tell the end of?
function waits() {
  const now = count();
  const isHeld = timers.hold(now.timers);
  if (immediates.hold(now.immediates) || isHeld) return true;
  const apart = [];
  const handles = activeHandles();
  for (let at = 0; at < handles.length; at++) {
    const handle = handles[at];
    if (leftHandles.has(handle) || serves(handle)) apart[apart.length] = handle;
  }
  if (apart.length + timers.apart + immediates.apart === 0) return true;
  toggle(apart, 'unref');
  const goesOn = addon.alive();
  toggle(apart, 'ref');
  return goesOn;
}

// The cell is over: what is left of it holds none after it.
function leave() {
  if (isEmpty()) {
    timers.clear();
    immediates.clear();
    return;
  }
  const now = count();
  timers.leave(now.timers);
  immediates.leave(now.immediates);
  const handles = activeHandles();
  for (let at = 0; at < handles.length; at++) leftHandles.add(handles[at]);
}

// Is the timer what an earlier cell left?
const isLeft = (timer) => timers.left.has(timer) || immediates.left.has(timer);

module.exports = { track, waits, leave, isLeft };
