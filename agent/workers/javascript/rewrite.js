// SPDX-License-Identifier: Apache-2.0
'use strict';
// Turns a cell into scripts that can follow each other in one global scope.
//
// Names at the top of a cell are the session's.  What can stays as it is written: a function or var
// is a property of the global object, as at node's prompt; a new let, const or class is lexical (a
// const becomes a let, so that a later cell may declare it again, and its assignments are made to
// throw).  A name that is declared again is assigned to.
//
// Names that exist before the first cell, or that libraries look for to know where they run, would
// reach node's own code and everybody else's: they are bound to another identifier, which has a mark
// at its end that no reader sees, here and in every later cell that means them (`alias`).
//
// A cell that awaits becomes an async function, whose names live outside of it; its functions are
// declared by a script before it, so that they are the session's too.  Imports come first.
//
// All that is put in or taken out is told to `places`, so that lines and columns are the user's.

const { parse } = require('./parser.js');
const { analyse, bound, collectVars } = require('./scope.js');

const MARK = '\u{E01EF}';
// What scripts call of the worker's: see names.js.
const HELP = `help${MARK}`;

class Edits {
  constructor(code) { this.code = code; this.list = []; }
  replace(start, end, text) { this.list.push({ start, end, text, order: this.list.length }); }
  insert(at, text) { this.replace(at, at, text); }
  blank(start, end) { this.replace(start, end, blank(this.code.slice(start, end))); }

  // Gives the text, where in it each of `marks` (places in the code) is, and the moves:
  // [line, column in the text, column in the code], of what follows on the same line.
  apply(marks) {
    const { code } = this;
    let out = '', at = 0;
    const moved = new Map(), moves = [];
    const list = this.list.sort((a, b) => a.start - b.start || a.end - b.end || a.order - b.order);
    const waiting = [...marks].sort((a, b) => a - b);
    let line = 1, lineStart = 0, ownStart = 0;
    const count = () => {
      for (let next; (next = out.indexOf('\n', lineStart)) >= 0; line++) lineStart = next + 1;
      ownStart = code.lastIndexOf('\n', at - 1) + 1;
    };
    const pass = (end) => {
      while (waiting.length > 0 && waiting[0] <= end) {
        const mark = waiting.shift();
        moved.set(mark, out.length + Math.max(0, mark - at));
      }
      out += code.slice(at, end);
      at = Math.max(at, end);
    };
    for (const e of list) {
      if (e.start < at && e.end > e.start) continue;
      pass(e.start);
      count();
      moves.push([line, out.length - lineStart, at - ownStart, true]);
      out += e.text;
      at = Math.max(at, e.end);
      count();
      moves.push([line, out.length - lineStart, at - ownStart, false]);
    }
    pass(code.length);
    return { text: out, moved, moves };
  }
}

const blank = (text) => text.replace(/[^\n\r\u2028\u2029]/g, ' ');
const isAnonymous = (node) => node.type === 'ArrowFunctionExpression' ||
  ((node.type === 'FunctionExpression' || node.type === 'ClassExpression') && !node.id);
const quote = (text) => JSON.stringify(text);

class Rewriting {
  // `session` tells of a name alias(name), isLexical(name), isFixed(name), isConstant(name),
  // isGuarded(name) and newAlias(name); it is not changed.
  constructor(code, session) {
    this.code = code;
    this.session = session;
    this.tree = parse(code);
    this.found = analyse(this.tree);
    this.edits = new Edits(code);
    this.awaits = this.found.awaits;
    this.functions = [];
    this.imports = [];
    this.declared = new Map(); // name to { storage, kind, early }
    this.lets = []; // to be declared before, by the script with the functions
    this.vars = [];
    this.strict = this.tree.body[0]?.directive === 'use strict';
  }

  text(node) { return this.code.slice(node.start, node.end); }

  // Where a name that the cell declares is kept; `native` when its declaration can stay.
  declare(name, kind, native) {
    const { session } = this;
    const variable = kind === 'var' || kind === 'function';
    const before = this.declared.get(name);
    if (before) {
      before.native &&= native;
      return before;
    }
    const known = { storage: name, kind, native, fresh: false };
    const alias = session.alias(name);
    if (alias !== undefined || session.isGuarded(name)) {
      known.storage = alias ?? session.newAlias(name);
      known.native = false;
      known.fresh = alias === undefined;
    } else if (session.isLexical(name)) {
      known.native = false;
    } else if (variable) {
      known.native = native;
      if (!native && kind === 'var') this.vars.push(name);
    } else if (session.isFixed(name)) {
      known.native = false;
    } else {
      known.fresh = true;
    }
    this.declared.set(name, known);
    return known;
  }

  collect() {
    for (const statement of this.tree.body) {
      const node = /^Export(Named|Default)/.test(statement.type) && statement.declaration
        ? statement.declaration : statement;
      if (node.type === 'ImportDeclaration') {
        this.imports.push(node);
        this.awaits = true;
      } else if (statement.type === 'ExportAllDeclaration' ||
                 (statement.type === 'ExportNamedDeclaration' && statement.source)) {
        this.imports.push({ ...statement, specifiers: [] });
        this.awaits = true;
      } else if (node.type === 'FunctionDeclaration' && node.id) {
        this.functions.push(node);
      }
    }
    const native = !this.awaits;
    for (const statement of this.tree.body) {
      const node = /^Export(Named|Default)/.test(statement.type) && statement.declaration
        ? statement.declaration : statement;
      if (node.type === 'VariableDeclaration' && node.kind !== 'var') {
        for (const d of node.declarations) bound(d.id, (id) => this.declare(id.name, node.kind, native));
      } else if (node.type === 'ClassDeclaration' && node.id) {
        this.declare(node.id.name, 'class', native);
      } else if (node.type === 'FunctionDeclaration' && node.id) {
        this.declare(node.id.name, 'function', true);
      } else if (node.type === 'ImportDeclaration') {
        for (const s of node.specifiers) this.declare(s.local.name, 'import', false);
      }
    }
    for (const { node } of this.found.vars) {
      for (const d of node.declarations) bound(d.id, (id) => this.declare(id.name, 'var', native));
    }
  }

  storage(name) { return this.declared.get(name)?.storage ?? this.session.alias(name) ?? name; }

  isConstant(name) {
    const here = this.declared.get(name);
    return here ? here.kind === 'const' : this.session.isConstant(name);
  }

  // Identifiers in a pattern of a declaration that has become an assignment.
  target(pattern) {
    switch (pattern.type) {
      case 'Identifier': this.name(pattern, this.storage(pattern.name), false); break;
      case 'ObjectPattern':
        for (const p of pattern.properties) {
          if (p.type === 'RestElement') { this.target(p.argument); continue; }
          const value = p.value.type === 'AssignmentPattern' ? p.value.left : p.value;
          if (p.shorthand) this.name(value, this.storage(value.name), true);
          else this.target(value);
        }
        break;
      case 'ArrayPattern': for (const e of pattern.elements) if (e) this.target(e); break;
      case 'AssignmentPattern': this.target(pattern.left); break;
      case 'RestElement': this.target(pattern.argument); break;
    }
  }

  name(node, text, shorthand) {
    if (text === node.name) return;
    this.edits.replace(node.start, node.end, shorthand ? `${node.name}: ${text}` : text);
  }

  references() {
    const starts = new Map();
    for (const node of this.tree.body) {
      if (node.type === 'VariableDeclaration' && node.kind !== 'var') {
        for (const d of node.declarations) bound(d.id, (id) => starts.set(id.name, d.end));
      } else if (node.type === 'ClassDeclaration') {
        starts.set(node.id.name, node.end);
      }
    }
    for (const { node, name, write, nested, shorthand } of this.found.references) {
      const known = this.declared.get(name);
      let text = this.storage(name);
      if (write && this.isConstant(name)) text = `${HELP}.constant.${name}`;
      else if (known?.fresh && !known.native && !nested && node.end <= starts.get(name)) {
        text = `${HELP}.early(${quote(name)})`;
      }
      this.name(node, text, shorthand);
    }
    for (const node of this.found.evals) {
      const first = node.arguments[0];
      if (first.type === 'SpreadElement') continue;
      this.edits.insert(first.start, `${HELP}.meant(`);
      this.edits.insert(first.end, ')');
    }
    for (const node of this.found.meta) this.edits.replace(node.start, node.end, `${HELP}.meta`);
  }

  // A declaration becomes an assignment to names outside.
  assignment(node, head) {
    const { edits, code } = this;
    const loop = head === 'ForInStatement' || head === 'ForOfStatement';
    for (const d of node.declarations) {
      this.target(d.id);
      if (!d.init) {
        if (node.kind !== 'var') edits.insert(d.end, ' = undefined');
      } else if (d.id.type === 'Identifier' && this.storage(d.id.name) !== d.id.name &&
                 isAnonymous(d.init)) {
        edits.insert(d.init.start, `({ ${d.id.name}: `);
        edits.insert(d.init.end, ` }).${d.id.name}`);
      }
    }
    const keyword = node.start + node.kind.length;
    if (loop) {
      edits.replace(node.start, keyword, '');
      return;
    }
    edits.replace(node.start, keyword, head === 'ForStatement' ? 'void (' : 'void (');
    edits.insert(code[node.end - 1] === ';' ? node.end - 1 : node.end,
      code[node.end - 1] === ';' || head === 'ForStatement' ? ')' : ');');
  }

  declaration(node, head = null, top = true) {
    const names = [];
    for (const d of node.declarations) bound(d.id, (id) => names.push(id.name));
    const native = names.every((name) => this.declared.get(name).native);
    if (native) {
      if (node.kind === 'const') this.edits.replace(node.start, node.start + 5, 'let  ');
      return;
    }
    for (const name of names) {
      const known = this.declared.get(name);
      if (known.native && known.kind === 'var') this.vars.push(name);
      known.native = false;
    }
    if (top) this.edits.insert(node.start, ';');
    this.assignment(node, head);
  }

  classDeclaration(node) {
    const known = this.declared.get(node.id.name);
    if (known.native) return;
    this.edits.insert(node.start, `;${known.storage} = `);
    this.edits.insert(node.end, ';');
  }

  functionDeclaration(node) {
    const known = this.declared.get(node.id.name);
    if (known.native && !known.fresh) return;
    this.edits.insert(node.start, `;${known.storage} = `);
    this.edits.insert(node.end, ';');
    known.before = true;
  }

  importText(node) {
    const { code } = this;
    let attributes = '';
    if (node.attributesObject) attributes = code.slice(node.attributesObject.start, node.attributesObject.end);
    else if (node.attributes?.length) {
      attributes = `{ ${node.attributes.map((a) => this.text(a)).join(', ')} }`;
    }
    const options = attributes && `, { ${node.attributesKeyword ?? 'with'}: ${attributes} }`;
    const names = node.specifiers.map((s) => {
      const known = this.declared.get(s.local.name);
      const imported = s.type === 'ImportNamespaceSpecifier' ? '*'
        : s.type === 'ImportDefaultSpecifier' ? 'default' : s.imported.name ?? s.imported.value;
      const used = this.found.references.some((r) => r.name === s.local.name);
      const lexical = this.session.isLexical(s.local.name) || this.session.isLexical(known.storage);
      const fixed = this.session.isFixed(known.storage);
      const set = lexical || fixed ? `, (value) => { ${known.storage} = value }` : '';
      const where = s.imported ?? s.local;
      return `[${quote(imported)}, ${quote(known.storage)}, ${used}, ` +
        `${where.start}, ${where.end}${set}]`;
    });
    return `[${node.source.raw}, await import(${node.source.raw}${options}), [${names.join(', ')}]]`;
  }

  statements() {
    const { edits, code } = this;
    for (let node of this.tree.body) {
      if (/^Export/.test(node.type)) {
        const kept = node.source ? null : node.declaration;
        if (!kept) {
          edits.blank(node.start, node.end);
          continue;
        }
        edits.blank(node.start, kept.start);
        if (!/Declaration$/.test(kept.type) || (!kept.id && !kept.declarations)) {
          edits.insert(kept.start, '(');
          edits.insert(code[node.end - 1] === ';' && kept.end === node.end ? node.end - 1 : kept.end, ');');
          continue;
        }
        node = kept;
      }
      if (node.type === 'ImportDeclaration') edits.blank(node.start, node.end);
      else if (node.type === 'ClassDeclaration') this.classDeclaration(node);
      else if (node.type === 'FunctionDeclaration') this.functionDeclaration(node);
      else if (node.type === 'VariableDeclaration') this.declaration(node);
    }
    const top = new Set(this.tree.body.map((n) => (/^Export/.test(n.type) ? n.declaration : n)));
    for (const { node, head } of this.found.vars) if (!top.has(node)) this.declaration(node, head, false);
  }

  // Returns { before, text, heads, moves, awaits, names, lines }: a script to be run before (or
  // null), the script, and what was put in front of their first lines.
  finish(shift) {
    const { code, edits } = this;
    if (code.startsWith('#!')) edits.replace(0, 2, '//');
    this.collect();
    this.statements();
    this.references();
    const last = this.tree.body[this.tree.body.length - 1];
    if (this.awaits && last?.type === 'ExpressionStatement' && !(last.directive && last === this.tree.body[0])) {
      edits.insert(last.start, ';return { __proto__: null, value: (');
      edits.list.unshift(edits.list.pop());
      edits.insert(code[last.end - 1] === ';' ? last.end - 1 : last.end, ') }');
    }
    const lets = [], lexical = [];
    for (const known of this.declared.values()) {
      if (known.kind === 'import') continue;
      if (known.fresh && !known.native) lets.push(known.storage);
      if (known.fresh && known.kind !== 'import') lexical.push(known.storage);
    }
    const apart = this.awaits || this.functions.some((f) => this.declared.get(f.id.name).before);
    const marks = apart ? this.functions.flatMap((f) => [f.start, f.end]) : [];
    const { text, moved, moves } = edits.apply(marks);
    let before = null, beforeHead = '', main = text, head = '';
    const strict = this.strict ? '"use strict"; ' : '';
    if (lets.length > 0 || this.vars.length > 0 || (apart && this.functions.length > 0)) {
      if (lets.length > 0) beforeHead += `let ${[...new Set(lets)].join(', ')}; `;
      if (this.vars.length > 0) beforeHead += `var ${[...new Set(this.vars)].join(', ')}; `;
      before = '';
    }
    if (apart && this.functions.length > 0) {
      let at = 0;
      main = '';
      for (const f of this.functions) {
        const start = moved.get(f.start), end = moved.get(f.end);
        // What stands for a function is an expression: it ends before the next one begins.
        const gap = blank(text.slice(at, start));
        before += (gap.startsWith(' ') && at > 0 ? `;${gap.slice(1)}` : gap) + text.slice(start, end);
        main += text.slice(at, start) + blank(text.slice(start, end));
        at = end;
      }
      main += text.slice(at);
    }
    if (before !== null) before = `${strict}${beforeHead}${before}`;
    if (this.awaits) {
      const load = this.imports.length === 0 ? ''
        : `${HELP}.load(${this.imports.map((node) => this.importText(node)).join(', ')}); `;
      head = `(async () => { ${strict}${load}`;
      main = `${head}${main}\n})()`;
    }
    return {
      before, text: main, moves, shift, awaits: this.awaits,
      beforeHead: (before === null ? 0 : strict.length + beforeHead.length) + shift,
      head: head.length + shift,
      names: [...this.declared].map(([name, { storage, kind, fresh, native }]) =>
        ({ name, storage, kind, fresh, native })),
    };
  }
}

// An object at the start of a cell is a value, as at the prompt of node.
function rewriteCell(code, session) {
  if (/^\s*\{/.test(code) && !/;\s*$/.test(code)) {
    try {
      return new Rewriting(`(${code.trimEnd()}\n)`, session).finish(1);
    } catch {
      // Not an object: a block.
    }
  }
  return new Rewriting(code, session).finish(0);
}

// The code of a direct eval, with the names that the session keeps elsewhere.
function rename(code, session) {
  const tree = parse(code);
  const edits = new Edits(code);
  const own = new Set();
  for (const node of tree.body) collectVars(node, own, false);
  for (const node of tree.body) {
    for (const d of node.declarations ?? []) bound(d.id, (id) => own.add(id.name));
    if (node.id) own.add(node.id.name);
  }
  for (const { node, name, shorthand } of analyse(tree).references) {
    const alias = own.has(name) ? undefined : session.alias(name);
    if (alias !== undefined) {
      edits.replace(node.start, node.end, shorthand ? `${name}: ${alias}` : alias);
    }
  }
  return edits.apply([]).text;
}

// Is the text cut off in the middle?
function incomplete(code, error) {
  if (/Unterminated (template|comment)/.test(error.message)) return true;
  if (/Unterminated string/.test(error.message)) return /\\$/.test(code);
  return error.pos >= code.trimEnd().length && /Unexpected token/.test(error.message);
}

// Would a TypeScript reader take `a<b>(c)` for a call?  Nobody compares so.
function callsWithTypes(code) {
  if (!/<[^]*>\s*[(`]/.test(code)) return false;
  let found = false;
  const look = (node) => {
    if (found || !node || typeof node.type !== 'string') return;
    if (node.type === 'BinaryExpression' && node.operator === '>' &&
        /^\s*[(`]/.test(code.slice(code.indexOf('>', node.left.end) + 1)) &&
        code[node.left.end] === '>') {
      const inner = node.left.type === 'BinaryExpression' ? node.left : null;
      if (inner?.operator === '<' && code[inner.left.end] === '<') found = true;
    }
    for (const key of Object.keys(node)) {
      const value = node[key];
      if (Array.isArray(value)) value.forEach(look);
      else if (value && typeof value === 'object' && value.type) look(value);
    }
  };
  look(parse(code));
  return found;
}

module.exports = { rewriteCell, rename, parse, incomplete, callsWithTypes, MARK, HELP };
