// SPDX-License-Identifier: Apache-2.0
'use strict';
// Which call sites a stack shows.  V8 asks whenever the stack of an error is made (addon.c, traces)
// and node makes the text: frames of the worker's are left out, and places in a cell are those of
// the text that the user wrote.

const { apply, getPrototypeOf, ownKeys } = Reflect;
const { indexOf, lastIndexOf, replaceAll, slice, startsWith } = String.prototype;

// What makes one identifier another that looks the same (rewrite.js).
const MARK = '\u{E01EF}';
const OURS = `${__dirname}/`;
// Calls the user's functions in the middle of a stack; all others of ours are at its bottom.
const MIDDLE = `${OURS}guard.js`;

// Of cells: name to a function from the [line, column] (counted from 1) in what runs to those in
// what was written, or null where nothing was.
const places = new Map();
const get = Map.prototype.get.bind(places);
// Of modules that another thread has loaded: asked before a file is unknown.
let asked = null;

function placeOf(name) {
  const find = get(name);
  if (find !== undefined || asked === null || !apply(startsWith, name, ['file:'])) return find;
  asked();
  return get(name);
}

const plain = (text) => (typeof text === 'string' && apply(indexOf, text, [MARK]) >= 0
  ? apply(replaceAll, text, [MARK, '']) : text);

// A call site that says another place.
function moved(site, name, line, column) {
  const copy = users.object();
  for (const key of ownKeys(getPrototypeOf(site))) {
    if (key !== 'constructor') {
      Object.defineProperty(copy, key,
        { value: () => plain(apply(site[key], site, [])), writable: true, configurable: true });
    }
  }
  copy.getLineNumber = () => line;
  copy.getColumnNumber = () => column;
  copy.toString = () => {
    const old = `${name}:${site.getLineNumber()}:${site.getColumnNumber()}`;
    const text = plain(site.toString());
    const at = apply(lastIndexOf, text, [old]);
    if (at < 0) return text;
    return `${apply(slice, text, [0, at])}${name}:${line}:${column}` +
      apply(slice, text, [at + old.length]);
  };
  return copy;
}

function shown(sites) {
  const list = users.list();
  let bottom = -1, changed = false;
  const count = sites.length;
  for (let at = 0; at < count; at++) {
    const site = sites[at];
    const name = site.getScriptNameOrSourceURL();
    if (typeof name !== 'string') {
      list[list.length] = site;
    } else if (apply(startsWith, name, [OURS])) {
      changed = true;
      if (bottom < 0 && name !== MIDDLE) bottom = list.length;
    } else {
      if (!apply(startsWith, name, ['node:'])) bottom = -1;
      const find = placeOf(name);
      if (find === undefined) {
        list[list.length] = site;
        continue;
      }
      const line = site.getLineNumber(), column = site.getColumnNumber();
      const place = find(line, column);
      if (place !== null && place[0] === line && place[1] === column) {
        list[list.length] = site;
        continue;
      }
      changed = true;
      if (place !== null) list[list.length] = moved(site, name, place[0], place[1]);
    }
  }
  if (bottom >= 0) list.length = bottom;
  return changed ? list : sites;
}

// The places of a cell: `first` leads from what runs to what was rewritten, `second` from there to
// what the user wrote; null where nothing was changed.
function setPlaces(name, first, second) {
  if (first === null && second === null) {
    places.delete(name);
    return;
  }
  places.set(name, (line, column) => {
    const place = first === null ? [line, column] : first(line, column);
    return place === null || second === null ? place : second(place[0], place[1]);
  });
}

const ask = (tell) => { asked = tell; };

module.exports = { plain, setPlaces, shown, ask };
