/* SPDX-License-Identifier: Apache-2.0 */
/* Where the server listens. */
#pragma once

/* The socket's path: @given, else $GLASSBELL_SOCKET, else $XDG_RUNTIME_DIR/glassbell/server.sock,
 * else /tmp/glassbell-UID/server.sock. Empty strings count as absent. Gives. */
char *gb_socket_path(const char *given);
