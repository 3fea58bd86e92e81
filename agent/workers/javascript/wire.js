// SPDX-License-Identifier: Apache-2.0
'use strict';
// Fields of messages (docs/guest.md, "Control channel").  One that is not there ends the process.

const { Buffer } = globalThis;
const { reallyExit } = require('./exit.js');

const EXIT_VIOLATION = 70;

function violation() {
  reallyExit(EXIT_VIOLATION);
}

class Fields {
  constructor(data) {
    this.data = data;
    this.at = 0;
  }

  take(size) {
    const start = this.at;
    if (start + size > this.data.length) violation();
    this.at = start + size;
    return start;
  }

  u8() {
    return this.data[this.take(1)];
  }

  u32() {
    return this.data.readUInt32LE(this.take(4));
  }

  bytes() {
    const size = this.u32(), start = this.take(size);
    return this.data.subarray(start, start + size);
  }

  text() {
    const size = this.u32(), start = this.take(size);
    return this.data.toString('utf8', start, start + size);
  }

  pairs() {
    const found = [];
    for (let left = this.u32(); left > 0; left--) found[found.length] = [this.text(), this.text()];
    return found;
  }

  end() {
    if (this.at !== this.data.length) violation();
  }
}

const fields = (data) => new Fields(data);

function u32(value) {
  const data = Buffer.alloc(4);
  data.writeUInt32LE(value);
  return data;
}

function field(data) {
  return Buffer.concat([u32(data.length), data]);
}

module.exports = { fields, u32, field, violation };
