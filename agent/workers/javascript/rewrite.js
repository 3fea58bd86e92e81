'use strict';
// Turns a cell into a script that can be run again and again in one global scope: top-level
// const, let and class become var, imports become dynamic, and a cell that awaits becomes an
// async function whose names live outside it.  Lines stay where they are.

const { Array, RangeError, Set } = globalThis;
const fs = require('node:fs');

const DEBIAN = '/usr/share/nodejs/acorn';
const acorn = require(fs.existsSync(DEBIAN) ? DEBIAN : 'acorn');

const OPTIONS = {
  ecmaVersion: 'latest', sourceType: 'script', allowAwaitOutsideFunction: true,
  allowImportExportEverywhere: true, allowHashBang: true, allowSuperOutsideMethod: true,
};
const DEPTH_MAX = 1000;

function parse(code) {
  return acorn.parse(code, OPTIONS);
}

// Names that a pattern binds.
function bound(pattern, names) {
  switch (pattern.type) {
    case 'Identifier': names.push(pattern.name); break;
    case 'ObjectPattern':
      for (const p of pattern.properties) bound(p.value ?? p, names);
      break;
    case 'ArrayPattern': for (const e of pattern.elements) if (e) bound(e, names); break;
    case 'AssignmentPattern': bound(pattern.left, names); break;
    case 'RestElement': bound(pattern.argument, names); break;
  }
}

// Calls visit(node, parent) for everything outside functions and classes' bodies.
function walk(node, visit, parent = null, depth = 0) {
  if (depth > DEPTH_MAX) throw new RangeError('the code is nested too deeply');
  visit(node, parent);
  if (/Function|PropertyDefinition|StaticBlock/.test(node.type)) return;
  for (const key in node) {
    const value = node[key];
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child && typeof child.type === 'string') walk(child, visit, node, depth + 1);
    }
  }
}

class Edits {
  constructor(code) { this.code = code; this.list = []; }
  replace(start, end, text) { this.list.push({ start, end, text, order: this.list.length }); }
  insert(at, text) { this.replace(at, at, text); }
  apply() {
    let out = '', at = 0;
    this.list.sort((a, b) => a.start - b.start || a.end - b.end || a.order - b.order);
    for (const e of this.list) {
      out += this.code.slice(at, e.start) + e.text;
      at = Math.max(at, e.end);
    }
    return out + this.code.slice(at);
  }
}

// As many newlines as a removed piece had, so that the lines below keep their numbers.
const lines = (text) => text.replace(/[^\n]/g, '');

function importText(node) {
  const from = `await import(${node.source.raw})`;
  const named = [];
  let space = null;
  for (const s of node.specifiers) {
    if (s.type === 'ImportNamespaceSpecifier') space = s.local.name;
    else if (s.type === 'ImportDefaultSpecifier') named.push(`default: ${s.local.name}`);
    else named.push(`${s.imported.raw ?? s.imported.name}: ${s.local.name}`);
  }
  if (space === null) return named.length ? `void ({${named.join(', ')}} = ${from});` : `${from};`;
  const rest = named.length ? `, {${named.join(', ')}} = ${space}` : '';
  return `void (${space} = ${from}${rest});`;
}

// Takes the export out of an exported declaration; gives the statement that remains or null.
function unexport(node, edits, code) {
  const declared = node.declaration;
  if (!declared) {
    edits.replace(node.start, node.end, lines(code.slice(node.start, node.end)));
    return null;
  }
  edits.replace(node.start, declared.start, '');
  if (/Declaration$/.test(declared.type) && (declared.id || declared.declarations)) return declared;
  edits.insert(declared.start, '(');
  edits.insert(declared.end, ')');
  return null;
}

// Returns { text, prefix, awaits, names }: the script, how long what was put before its first
// line is, whether it evaluates to a promise of { value }, and the names that it declares.
function rewrite(code) {
  const tree = parse(code);
  const edits = new Edits(code);
  const names = [], hoisted = [];
  let awaits = false;
  walk(tree, (node) => {
    if (node.type === 'AwaitExpression' || node.type === 'ImportDeclaration' ||
        (node.type === 'ForOfStatement' && node.await)) awaits = true;
  });
  if (code.startsWith('#!')) edits.replace(0, 2, '//');

  const assignment = (node) => {
    // A declaration inside an async cell becomes an assignment to names outside.
    const keyword = code.slice(node.start).match(/^\w+/)[0].length;
    edits.replace(node.start, node.start + keyword, ';void (');
    for (const d of node.declarations) {
      if (!d.init && node.kind !== 'var') edits.insert(d.end, ' = undefined');
    }
    const end = code[node.end - 1] === ';' ? node.end - 1 : node.end;
    edits.insert(end, end === node.end ? ');' : ')');
  };

  for (let node of tree.body) {
    if (/^Export/.test(node.type)) node = unexport(node, edits, code) ?? node;
    if (node.type === 'ImportDeclaration') {
      for (const s of node.specifiers) names.push(s.local.name);
      const kept = lines(code.slice(node.start, node.end));
      edits.replace(node.start, node.end, importText(node) + kept);
    } else if (node.type === 'ClassDeclaration') {
      names.push(node.id.name);
      edits.insert(node.start, awaits ? `;${node.id.name} = ` : `var ${node.id.name} = `);
      edits.insert(node.end, ';');
    } else if (node.type === 'FunctionDeclaration') {
      names.push(node.id.name);
      hoisted.push(node.id.name);
    } else if (node.type === 'VariableDeclaration') {
      for (const d of node.declarations) bound(d.id, names);
      if (awaits) {
        assignment(node);
      } else if (node.kind !== 'var') {
        edits.replace(node.start, node.start + node.kind.length, 'var'.padEnd(node.kind.length));
        for (const d of node.declarations) if (!d.init) edits.insert(d.end, ' = undefined');
      }
    }
  }
  walk(tree, (node, parent) => {
    if (node.type !== 'VariableDeclaration' || node.kind !== 'var' || parent === tree ||
        /^Export/.test(parent.type)) return;
    for (const d of node.declarations) bound(d.id, names);
    if (!awaits) return;
    if (/^For/.test(parent.type) && parent.body !== node) {
      edits.replace(node.start, node.start + 3, parent.type === 'ForStatement' ? 'void ' : '');
      if (parent.type === 'ForStatement') {
        edits.insert(node.declarations[0].start, '(');
        edits.insert(node.end, ')');
      }
    } else {
      assignment(node);
    }
  });
  if (!awaits) return { text: edits.apply(), prefix: 0, awaits, names };

  const last = tree.body[tree.body.length - 1];
  if (last?.type === 'ExpressionStatement') {
    edits.insert(last.start, 'return { __proto__: null, value: (');
    const end = code[last.end - 1] === ';' ? last.end - 1 : last.end;
    edits.insert(end, ') }');
  }
  const outside = names.length ? `var ${[...new Set(names)].join(', ')}; ` : '';
  const inside = hoisted.map((name) => `globalThis.${name} = ${name}; `).join('');
  const head = `${outside}(async () => { ${inside}`;
  return { text: `${head}${edits.apply()}\n})()`, prefix: head.length, awaits, names };
}

// An object at the start of a cell is a value, as at the prompt of node.
function rewriteCell(code) {
  if (/^\s*\{/.test(code) && !/;\s*$/.test(code)) {
    try {
      return rewrite(`(${code.trimEnd()}\n)`);
    } catch {
      // Not an object: a block.
    }
  }
  return rewrite(code);
}

// Is the text cut off in the middle?
function incomplete(code, error) {
  if (/Unterminated (template|comment)/.test(error.message)) return true;
  if (/Unterminated string/.test(error.message)) return /\\$/.test(code);
  return error.pos >= code.trimEnd().length && /Unexpected token/.test(error.message);
}

module.exports = { rewriteCell, parse, incomplete };
