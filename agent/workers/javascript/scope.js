// SPDX-License-Identifier: Apache-2.0
'use strict';
// Finds, in a tree of acorn's, the identifiers that mean something outside of it: names at its top
// level, of the session, or globals.

const DEPTH_MAX = 4000;

// Calls found(identifier) for each name that a pattern binds.
function bound(pattern, found) {
  switch (pattern.type) {
    case 'Identifier': found(pattern); break;
    case 'ObjectPattern':
      for (const p of pattern.properties) bound(p.value ?? p.argument ?? p, found);
      break;
    case 'ArrayPattern': for (const e of pattern.elements) if (e) bound(e, found); break;
    case 'AssignmentPattern': bound(pattern.left, found); break;
    case 'RestElement': bound(pattern.argument, found); break;
  }
}

const isFunction = (node) => node.type === 'FunctionDeclaration' ||
  node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression';

function children(node) {
  const list = [];
  for (const key of Object.keys(node)) {
    const value = node[key];
    if (Array.isArray(value)) for (const item of value) if (item?.type) list.push(item);
    if (value && typeof value.type === 'string') list.push(value);
  }
  return list;
}

// Names that `var` binds in a function or program, through its blocks.
function collectVars(node, names, top, depth = 0) {
  if (depth > DEPTH_MAX) throw new RangeError('the code is nested too deeply');
  if (node.type === 'VariableDeclaration' && node.kind === 'var') {
    for (const d of node.declarations) bound(d.id, (id) => names.add(id.name));
  }
  // Of blocks only: they are the function's too, outside of strict code.
  if (node.type === 'FunctionDeclaration' && !top && node.id) names.add(node.id.name);
  if (isFunction(node) || node.type === 'ClassDeclaration' || node.type === 'ClassExpression') return;
  if (/Expression$|Literal$/.test(node.type)) return;
  for (const child of children(node)) collectVars(child, names, false, depth + 1);
}

// Names that a list of statements binds for itself.
function collectLexical(statements, names) {
  for (const node of statements) {
    const kept = node.declaration ?? node;
    if (kept.type === 'VariableDeclaration' && kept.kind !== 'var') {
      for (const d of kept.declarations) bound(d.id, (id) => names.add(id.name));
    } else if ((kept.type === 'FunctionDeclaration' || kept.type === 'ClassDeclaration') && kept.id) {
      names.add(kept.id.name);
    }
  }
}

class Analysis {
  constructor() {
    // { node, name, write, nested, shorthand }: `nested` when inside of a function or class,
    // `shorthand` when the identifier stands for { name: name }.
    this.references = [];
    this.evals = []; // direct calls of eval
    this.awaits = false;
    this.meta = []; // import.meta
    this.vars = []; // declarations with `var` outside of functions: { node, head }
    this.scopes = [];
    this.head = null; // the kind of loop in whose head we are
    this.functions = 0;
    this.depth = 0;
  }

  known(name) {
    for (const scope of this.scopes) if (scope.has(name)) return true;
    return false;
  }

  refer(node, write, shorthand = false) {
    if (this.known(node.name)) return;
    this.references.push({ node, name: node.name, write, nested: this.functions > 0, shorthand });
  }

  within(names, work) {
    this.scopes.push(names);
    work();
    this.scopes.pop();
  }

  all(nodes) {
    for (const node of nodes) if (node) this.visit(node);
  }

  // A pattern: identifiers in it are written to, or bound here when `binds`.
  pattern(node, binds) {
    switch (node?.type) {
      case 'Identifier': if (!binds) this.refer(node, true); break;
      case 'ObjectPattern':
        for (const p of node.properties) {
          if (p.type === 'RestElement') { this.pattern(p.argument, binds); continue; }
          if (p.computed) this.visit(p.key);
          const target = p.value.type === 'AssignmentPattern' ? p.value.left : p.value;
          if (p.shorthand && !binds) this.refer(target, true, true);
          else this.pattern(target, binds);
          if (p.value.type === 'AssignmentPattern') this.visit(p.value.right);
        }
        break;
      case 'ArrayPattern': for (const e of node.elements) if (e) this.pattern(e, binds); break;
      case 'AssignmentPattern': this.pattern(node.left, binds); this.visit(node.right); break;
      case 'RestElement': this.pattern(node.argument, binds); break;
      default: if (node) this.visit(node);
    }
  }

  call(node) {
    const names = new Set(node.type === 'FunctionExpression' && node.id ? [node.id.name] : []);
    for (const p of node.params) bound(p, (id) => names.add(id.name));
    if (node.type !== 'ArrowFunctionExpression') names.add('arguments');
    if (node.body.type === 'BlockStatement') {
      for (const statement of node.body.body) collectVars(statement, names, true);
      collectLexical(node.body.body, names);
    }
    this.functions++;
    this.within(names, () => {
      for (const p of node.params) this.pattern(p, true);
      if (node.body.type === 'BlockStatement') this.all(node.body.body);
      else this.visit(node.body);
    });
    this.functions--;
  }

  visit(node) {
    if (++this.depth > DEPTH_MAX) throw new RangeError('the code is nested too deeply');
    this.look(node);
    this.depth--;
  }

  look(node) {
    switch (node.type) {
      case 'Identifier': this.refer(node, false); return;
      case 'MemberExpression':
        this.visit(node.object);
        if (node.computed) this.visit(node.property);
        return;
      case 'Property':
        if (node.computed) this.visit(node.key);
        if (node.shorthand) this.refer(node.value, false, true);
        else this.visit(node.value);
        return;
      case 'MethodDefinition':
      case 'PropertyDefinition':
        if (node.computed) this.visit(node.key);
        this.functions++;
        if (node.value) this.visit(node.value);
        this.functions--;
        return;
      case 'StaticBlock': {
        const names = new Set();
        for (const statement of node.body) collectVars(statement, names, true);
        collectLexical(node.body, names);
        this.functions++;
        this.within(names, () => this.all(node.body));
        this.functions--;
        return;
      }
      case 'ClassDeclaration':
      case 'ClassExpression':
        this.within(new Set(node.id ? [node.id.name] : []), () => {
          if (node.superClass) this.visit(node.superClass);
          this.all(node.body.body);
        });
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression': this.call(node); return;
      case 'VariableDeclaration':
        // At the top they are told apart by their declarations; inside they are known.
        if (node.kind === 'var' && this.functions === 0) {
          this.vars.push({ node, head: this.head });
        }
        for (const d of node.declarations) {
          this.pattern(d.id, true);
          if (d.init) this.visit(d.init);
        }
        return;
      case 'AssignmentExpression': this.pattern(node.left, false); this.visit(node.right); return;
      case 'UpdateExpression':
        if (node.argument.type === 'Identifier') this.refer(node.argument, true);
        else this.visit(node.argument);
        return;
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'ForStatement': this.loop(node); return;
      case 'BlockStatement': this.block(node.body); return;
      case 'SwitchStatement':
        this.visit(node.discriminant);
        this.within(this.lexical(node.cases.flatMap((c) => c.consequent)), () => {
          for (const c of node.cases) this.all([c.test, ...c.consequent]);
        });
        return;
      case 'CatchClause': {
        const names = new Set();
        if (node.param) bound(node.param, (id) => names.add(id.name));
        this.within(names, () => {
          if (node.param) this.pattern(node.param, true);
          this.block(node.body.body);
        });
        return;
      }
      case 'LabeledStatement': this.visit(node.body); return;
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'ImportDeclaration':
      case 'ExportAllDeclaration': return;
      case 'MetaProperty': if (node.meta.name === 'import') this.meta.push(node); return;
      case 'ExportNamedDeclaration': if (node.declaration) this.visit(node.declaration); return;
      case 'AwaitExpression': if (this.functions === 0) this.awaits = true; break;
      case 'CallExpression':
        if (node.callee.type === 'Identifier' && node.callee.name === 'eval' && !this.known('eval') &&
            node.arguments.length > 0) this.evals.push(node);
        break;
    }
    this.all(children(node));
  }

  lexical(statements) {
    const names = new Set();
    collectLexical(statements, names);
    return names;
  }

  block(statements) {
    this.within(this.lexical(statements), () => this.all(statements));
  }

  loop(node) {
    if (node.await && this.functions === 0) this.awaits = true;
    const head = node.type === 'ForStatement' ? node.init : node.left;
    const names = new Set();
    if (head?.type === 'VariableDeclaration') collectLexical([head], names);
    this.within(names, () => {
      if (head?.type === 'VariableDeclaration') {
        this.head = node.type;
        this.visit(head);
        this.head = null;
      } else if (node.type === 'ForStatement') {
        this.all([head]);
      } else {
        this.pattern(head, false);
      }
      if (node.type === 'ForStatement') this.all([node.test, node.update]);
      else this.visit(node.right);
      this.visit(node.body);
    });
  }
}

function analyse(tree) {
  const analysis = new Analysis();
  analysis.all(tree.body);
  return analysis;
}

module.exports = { analyse, bound, collectVars };
