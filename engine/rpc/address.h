/* Where the server listens. */
#pragma once

/* The socket's path: @given, else $GLOVEBOX_SOCKET, else $XDG_RUNTIME_DIR/glovebox/server.sock,
 * else /tmp/glovebox-UID/server.sock. Empty strings count as absent. Gives. */
char *gb_socket_path(const char *given);
