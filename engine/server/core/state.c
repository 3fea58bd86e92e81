/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

int server_check_open(const struct gb_server *server, struct gb_err *err)
{
    if (server->state == SERVER_OPEN)
        return 0;
    return gb_err_set(err, GB_EBUSY, "the server is shutting down");
}

void server_changed(struct gb_server *server)
{
    server->on_changed(server);
}

void server_saved(struct gb_server *server)
{
    server->savers--;
    server_changed(server);
}
