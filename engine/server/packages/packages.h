/* SPDX-License-Identifier: Apache-2.0 */
/* Packages for sessions: `packages` of `session.open`.
 *
 * Theory of operation. What a session asks for is a key (image, index, packages). If the store has
 * a layer for it, the session starts as always, and before its first cell the layer is put behind
 * the spare disk of its VM (gb_vm_attach()), and the agent mounts it. If not, a *builder* makes it:
 * a VM of the same image with a session of its own, whose network is the policy that the language
 * names and that lets it reach the index. It runs the language's program `packages`, and the server
 * takes two files out of it: the layer, which it never looks at, and the lock, which is text. The
 * sessions that wait for it have no VM yet.
 *
 * The builder is as untrusted as any guest. What it makes is seen by the guests of those who asked
 * for these packages in this image, and by nobody else.
 */
#pragma once

#include "server/core/part.h"

extern const struct gb_part packages_part;
