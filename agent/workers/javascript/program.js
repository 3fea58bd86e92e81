// SPDX-License-Identifier: Apache-2.0
'use strict';
// A cell that is a program: a file with its arguments, run as `node FILE ARGS` runs it, or code with
// arguments, as `node -e CODE ARGS`.
//
// In a session the file is a cell whose names stay.  A final cell's file is node's main module, and
// node loads, runs and ends it by itself; what is TypeScript goes through loader.js.

const { Error, Object } = globalThis;
const { process, setImmediate } = globalThis;
const { defineProperty } = Object;
const { existsSync, readFileSync } = require('node:fs');
const { Module } = require('node:module');
const { dirname } = require('node:path');
const { load } = require('./realm.js');

const typescript = load('./typescript.js');

function define(name, value) {
  defineProperty(globalThis, name,
    { __proto__: null, value, writable: true, configurable: true, enumerable: false });
}

class Program {
  constructor(file, argv) {
    this.file = file;
    this.argv = argv.length ? argv : null;
    this.before = null;
  }

  // What the process finds from here on.
  enter() {
    if (this.argv === null) return;
    this.before = process.argv;
    // Of the users' realm, and without the iterator of their arrays.
    const argv = [process.execPath];
    if (this.file) argv[1] = this.file;
    else if (this.argv[0] !== '-c') argv[1] = this.argv[0];
    for (let at = 1; at < this.argv.length; at++) argv[argv.length] = this.argv[at];
    process.argv = argv;
  }

  // The text of a file that is a cell.
  code() {
    this.find();
    define('__filename', this.file);
    define('__dirname', dirname(this.file));
    return readFileSync(this.file, 'utf8');
  }

  // As node says it.
  find() {
    if (existsSync(this.file)) return;
    const error = new Error(`Cannot find module '${this.file}'`);
    error.code = 'MODULE_NOT_FOUND';
    error.requireStack = [];
    throw error;
  }

  // Hands the file to node, which runs it as soon as nothing of ours is on the stack.
  launch() {
    this.find();
    // What cells find in the global object, and no module does.
    delete globalThis.require;
    delete globalThis.module;
    delete globalThis.exports;
    process.setUncaughtExceptionCaptureCallback(null);
    if (typescript.isFile(this.file)) require('./loader.js').launch(this.file);
    else setImmediate(Module.runMain, this.file);
  }

  leave() {
    if (this.before !== null) process.argv = this.before;
  }
}

module.exports = { Program };
