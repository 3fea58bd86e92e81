// SPDX-License-Identifier: Apache-2.0
// TypeScript for node's own loader of modules; runs in the loader's thread.

import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const { isModule, strip } = createRequire(import.meta.url)('./loader.js');
const TYPED = /\.[cm]?ts$/i;
// What a program in TypeScript may leave out, or calls as it will be called.
const TRIES = [[/$/, '.ts'], [/\.js$/, '.ts'], [/\.mjs$/, '.mts'], [/\.cjs$/, '.cts'], [/\/?$/, '/index.ts']];

let port;

export function initialize(data) {
  ({ port } = data);
  port.unref();
}

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (!/^\.{0,2}\//.test(specifier) || !TYPED.test(context.parentURL ?? '')) throw error;
    for (const [from, to] of TRIES) {
      if (!from.test(specifier)) continue;
      try {
        return await next(specifier.replace(from, to), context);
      } catch {
        // The first mistake is told when nothing fits.
      }
    }
    throw error;
  }
}

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !TYPED.test(url)) return next(url, context);
  const file = fileURLToPath(url);
  if (!isModule(file)) return { format: 'commonjs', shortCircuit: true };
  const { code, lines } = strip(file);
  port.postMessage({ url, lines });
  return { format: 'module', source: code, shortCircuit: true };
}
