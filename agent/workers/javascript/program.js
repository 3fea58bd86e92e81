'use strict';
// A cell that is a program: a file with its arguments, run as `node FILE ARGS` runs it, or code with
// arguments, as `node -e CODE ARGS`.

const { Buffer, Object } = globalThis;
const fs = require('node:fs');
const path = require('node:path');

class Program {
  constructor(file, argv) {
    this.file = file;
    this.argv = argv.length ? argv.toString('utf8').split('\0').slice(0, -1) : null;
    this.before = null;
  }

  // What the process finds from here on; gives the code.
  enter(code) {
    if (this.argv !== null) {
      this.before = process.argv;
      const [name, ...rest] = this.argv;
      const first = this.file ? [this.file] : name === '-c' ? [] : [name];
      process.argv = [process.execPath, ...first, ...rest];
    }
    if (!this.file) return code;
    for (const [name, value] of [['__filename', this.file], ['__dirname', path.dirname(this.file)]]) {
      Object.defineProperty(globalThis, name,
        { value, writable: true, configurable: true, enumerable: false });
    }
    return fs.readFileSync(this.file, 'utf8');
  }

  leave() {
    if (this.before !== null) process.argv = this.before;
  }
}

module.exports = { Program };
