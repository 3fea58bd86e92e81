// SPDX-License-Identifier: Apache-2.0
'use strict';
// Fields of messages (docs/guest.md, "Control channel").  One that is not there ends the process.

const { reallyExit } = require('./exit.js');

const { apply } = Reflect;
const { alloc } = Buffer;
// Node's toString() asks for it by name, which users may have given to something else.
const { utf8Slice } = Buffer.prototype;
const { set } = Uint8Array.prototype;
const EXIT_VIOLATION = 70;

function violation() {
  reallyExit(EXIT_VIOLATION);
}

class Fields {
  constructor(data) {
    this.data = data;
    this.size = data.length;
    this.at = 0;
  }

  take(size) {
    const start = this.at;
    if (start + size > this.size) violation();
    this.at = start + size;
    return start;
  }

  u8() {
    return this.data[this.take(1)];
  }

  u32() {
    const { data } = this, at = this.take(4);
    return (data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24) >>> 0;
  }

  bytes() {
    const size = this.u32(), start = this.take(size);
    return cut(this.data, start, size);
  }

  text() {
    const size = this.u32(), start = this.take(size);
    return textOf(this.data, start + size, start);
  }

  pairs() {
    const found = [];
    for (let left = this.u32(); left > 0; left--) found[found.length] = [this.text(), this.text()];
    return found;
  }

  end() {
    if (this.at !== this.size) violation();
  }
}

const textOf = (data, end = data.length, start = 0) => apply(utf8Slice, data, [start, end]);

const fields = (data) => new Fields(data);


function u8(value) {
  const data = alloc(1);
  data[0] = value;
  return data;
}

function u32(value) {
  const data = alloc(4);
  for (let at = 0; at < 4; at++) data[at] = value >>> 8 * at;
  return data;
}

function joined(...parts) {
  let size = 0;
  for (const part of parts) size += part.length;
  const data = alloc(size);
  let at = 0;
  for (const part of parts) {
    apply(set, data, [part, at]);
    at += part.length;
  }
  return data;
}

// A part of the data, as one of its own.
function cut(data, start, size) {
  const copy = alloc(size);
  for (let at = 0; at < size; at++) copy[at] = data[start + at];
  return copy;
}

const field = (data) => joined(u32(data.length), data);

module.exports = { cut, field, fields, joined, textOf, u8, u32, violation };
