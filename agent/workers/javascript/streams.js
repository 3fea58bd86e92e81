// SPDX-License-Identifier: Apache-2.0
'use strict';
// process.stdin, stdout and stderr, as lasting as the session while the descriptors below change
// with each cell.

const fs = require('node:fs');
const { Writable } = require('node:stream');
const addon = require('./addon.node');

const { writeSync, openSync, fstatSync } = fs;
const { WritableState } = Writable;
const { uncork } = Writable.prototype;
const { nextTick } = process;
const { from } = Buffer;
const { defineProperty } = Object;
const { apply } = Reflect;
const { encode } = TextEncoder.prototype;
const encoder = new TextEncoder();

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

// The bytes of a text, without the help of Buffer: what that has may not be as it was.
const encoded = (text) => apply(encode, encoder, [text]);

function bytesOf(chunk, encoding) {
  if (typeof chunk !== 'string') return chunk;
  return encoding === 'utf8' || encoding === 'utf-8' ? encoded(chunk) : from(chunk, encoding);
}

// Text comes as it is, for bytesOf().
const OPTIONS = { decodeStrings: false };

// Makes an output that the last cell has damaged as good as new: consoles keep the object.
function renew(stream) {
  const state = stream._writableState;
  for (let left = state?.corked; left > 0; left--) apply(uncork, stream, []);
  if (!(state instanceof WritableState) || state.errored || state.destroyed || state.ending || state.finished ||
      state.corked || state.length !== 0 || !stream.writable) {
    stream._writableState = new WritableState(OPTIONS, stream, false);
  }
}

// Writes at once, as node's own do on files and pipes; cannot be ended by the user.
function makeOutput(fd) {
  const stream = new Writable({
    ...OPTIONS,
    // What could not be written is lost, and said to who listens; a stream that has failed takes nothing
    // any more, and the next cell has another descriptor.
    write(chunk, encoding, done) {
      const error = writeAll(fd, bytesOf(chunk, encoding));
      if (error !== null && stream.listenerCount('error') > 1) nextTick(() => stream.emit('error', error));
      done();
    },
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
    if (done) nextTick(done);
    return this;
  };
  // A reader that has gone is no reason to end a session.
  stream.on('error', () => {});
  return stream;
}

// Tells by tellWaiting(true or false) when the user's code begins and ends to wait for input.
function makeStdin(tellWaiting) {
  // A description of its own, so that its being non-blocking stays with this stream.
  const fd = openSync('/proc/self/fd/0', fs.constants.O_RDONLY);
  let stream;
  if (fstatSync(fd).isFIFO()) {
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
  defineProperty(stream, 'fd', { value: 0, configurable: true, writable: true });
  return stream;
}

module.exports = { encoded, writeAll, makeOutput, makeStdin, renew };
