// SPDX-License-Identifier: Apache-2.0
'use strict';
// The parameters of a function or class, read from its source: nothing of the user's is called.

const { isProxy } = require('node:util').types;
const { parse } = require('./parser.js');

// Of this realm: cells cannot replace it.
const sourceOf = Function.prototype.call.bind(Function.prototype.toString);
const HEAD_MAX = 2000, CLASS_MAX = 16384, TRIES_MAX = 10, BASES_MAX = 10, SHOWN_MAX = 300;
// Where the head of a function may end.
const END = /=>|\)\s*\{/g;

// As an expression, or else as a method; undefined if it is neither.
function read(source) {
  for (const [open, close] of [['(', ')'], ['({', '})']]) {
    try {
      const { expression } = parse(open + source + close).body[0];
      const node = expression.type === 'ObjectExpression' ? expression.properties[0].value : expression;
      if (node?.params || node?.body) return { node, text: open + source };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}

function shown({ node, text }) {
  if (!node.params?.length) return '()';
  const { start } = node.params[0], { end } = node.params.at(-1);
  const parameters = text.slice(start, end).replace(/\s+/g, ' ');
  return parameters.length <= SHOWN_MAX ? `(${parameters})` : `(${parameters.slice(0, SHOWN_MAX)}…)`;
}

// The head with an empty body: the first that is whole.
function ofFunction(source) {
  if (/\{\s*\[native code\]\s*\}$/.test(source)) return '';
  const head = source.slice(0, HEAD_MAX);
  let tries = 0;
  for (const { 0: found, index } of head.matchAll(END)) {
    const whole = found === '=>' ? `${head.slice(0, index)}=> 0` : `${head.slice(0, index)}) {}`;
    const result = read(whole);
    if (result?.node.params) return shown(result);
    if (++tries === TRIES_MAX) break;
  }
  return '';
}

// Not by its source alone: that of a method or an arrow function may begin with a name like
// `classify`.
function isClass(value, source) {
  return source.startsWith('class') &&
    Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}

// That of its constructor, which may be inherited.
function ofClass(value) {
  for (let at = value, left = BASES_MAX; typeof at === 'function' && left > 0; left--) {
    if (isProxy(at)) return '';
    const source = sourceOf(at);
    if (!isClass(at, source)) return at === value ? '' : ofFunction(source);
    const { node, text } = source.length <= CLASS_MAX ? read(source) ?? {} : {};
    if (!node) return '';
    const made = node.body.body.find((part) => part.kind === 'constructor');
    if (made) return shown({ node: made.value, text });
    at = Object.getPrototypeOf(at);
    if (!node.superClass) break;
  }
  return '()';
}

// "(a, b = 1)", or '' if that is not known.
function signature(value) {
  if (typeof value !== 'function' || isProxy(value)) return '';
  const source = sourceOf(value);
  return isClass(value, source) ? ofClass(value) : ofFunction(source);
}

module.exports = { signature };
