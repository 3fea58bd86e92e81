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

let own = new Set(), ownLimit = PRUNE_AT;
let left = new Set();
let leftHandles = new WeakSet();
// Of earlier cells, known by their numbers only.
let otherTimers = 0, otherImmediates = 0;

function alive(timer) {
  return !timer._destroyed && timer._onTimeout !== null && timer.hasRef();
}

function prune(timers) {
  for (const timer of timers) if (!alive(timer)) timers.delete(timer);
  return timers.size;
}

// A timer that the running cell, or what earlier ones left, has made.
function track(timer) {
  if (timer._onTimeout === undefined) return; // an immediate
  own.add(timer);
  if (own.size < ownLimit) return;
  ownLimit = 2 * prune(own) + PRUNE_AT;
}

function count() {
  let timers = 0, immediates = 0;
  const kinds = resources();
  for (let at = 0; at < kinds.length; at++) {
    const kind = kinds[at];
    if (kind === 'Timeout') timers++;
    else if (kind === 'Immediate') immediates++;
  }
  return { timers, immediates };
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
  const mine = prune(own), theirs = prune(left);
  otherTimers = Math.min(otherTimers, Math.max(0, now.timers - theirs - mine));
  otherImmediates = Math.min(otherImmediates, now.immediates);
  if (now.timers > theirs + otherTimers || now.immediates > otherImmediates) return true;
  const apart = [];
  const handles = activeHandles();
  for (let at = 0; at < handles.length; at++) {
    const handle = handles[at];
    if (leftHandles.has(handle) || serves(handle)) apart[apart.length] = handle;
  }
  if (apart.length + theirs + otherTimers + otherImmediates === 0) return true;
  toggle(apart, 'unref');
  const goesOn = addon.alive();
  toggle(apart, 'ref');
  return goesOn;
}

// The cell is over: what is left of it holds none after it.
function leave() {
  if (isEmpty()) {
    own.clear();
    left.clear();
    otherTimers = otherImmediates = 0;
    return;
  }
  const now = count();
  const mine = prune(own), theirs = prune(left);
  otherTimers = Math.max(0, now.timers - theirs - mine);
  otherImmediates = now.immediates;
  for (const timer of own) left.add(timer);
  own.clear();
  const handles = activeHandles();
  for (let at = 0; at < handles.length; at++) leftHandles.add(handles[at]);
}

// Is the timer what an earlier cell left?
const isLeft = (timer) => left.has(timer);

module.exports = { track, waits, leave, isLeft };
