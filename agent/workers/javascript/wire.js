// SPDX-License-Identifier: Apache-2.0
'use strict';
// Fields of messages (docs/guest.md, "Control channel").  One that is not there ends the process.

const { Array, Buffer, Math } = globalThis;
const { reallyExit } = require('./exit.js');

const EXIT_VIOLATION = 70;

function violation() {
  reallyExit(EXIT_VIOLATION);
}

function fields(data) {
  let at = 0;
  const take = (size) => {
    if (at + size > data.length) violation();
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
    end: () => { if (at !== data.length) violation(); },
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

module.exports = { fields, u32, field, violation };
