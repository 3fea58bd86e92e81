// SPDX-License-Identifier: Apache-2.0
'use strict';
// Reads a cell into a tree, by acorn (Debian's package).  What is valid is for V8 to say: this only
// has to take whatever V8 takes, so patterns of regular expressions are not looked into, and
// attributes of imports are read here where acorn is too old to know them.

const { existsSync } = require('node:fs');

const DEBIAN = '/usr/share/nodejs/acorn';
const acorn = require(existsSync(DEBIAN) ? DEBIAN : 'acorn');

const OPTIONS = {
  ecmaVersion: 'latest', sourceType: 'script', allowAwaitOutsideFunction: true,
  allowImportExportEverywhere: true, allowHashBang: true, allowSuperOutsideMethod: true,
};

const { tokTypes } = acorn;
const KNOWS_ATTRIBUTES = Number(acorn.version.split('.')[0]) > 8 ||
  (acorn.version.startsWith('8.') && Number(acorn.version.split('.')[1]) >= 14);

const CellParser = acorn.Parser.extend((Base) => class extends Base {
  validateRegExpFlags() {}
  validateRegExpPattern() {}

  parseImport(node, ...rest) {
    this.attributed = node;
    return super.parseImport(node, ...rest);
  }

  parseExport(node, ...rest) {
    this.attributed = node;
    return super.parseExport(node, ...rest);
  }

  // Behind the module's name of a static import or export.
  semicolon() {
    const node = this.attributed;
    if (node?.source && this.lastTokEnd === node.source.end) {
      this.attributed = null;
      const named = this.type === tokTypes._with ? !KNOWS_ATTRIBUTES
        : this.type === tokTypes.name && this.value === 'assert' &&
          !/[\n\r\u2028\u2029]/.test(this.input.slice(this.lastTokEnd, this.start));
      if (named) {
        node.attributesKeyword = this.value;
        this.next();
        node.attributesObject = this.parseObj(false);
      }
    }
    super.semicolon();
  }

  parseDynamicImport(node) {
    this.next();
    node.source = this.parseMaybeAssign();
    if (this.eat(tokTypes.comma) && this.type !== tokTypes.parenR) {
      node.options = this.parseMaybeAssign();
      this.eat(tokTypes.comma);
    }
    this.expect(tokTypes.parenR);
    return this.finishNode(node, 'ImportExpression');
  }
});

function parse(code) {
  return CellParser.parse(code, OPTIONS);
}

module.exports = { parse };
