/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

const struct part_state watch_state = {
    .server = sizeof(struct watch_server),
    .connection = sizeof(struct watch_connection),
    .session = sizeof(struct watch_session),
};

struct watch_server *watch_of_server(const struct gb_server *server)
{
    return part_of_server(server, &watch_state);
}

struct watch_connection *watch_of_connection(struct connection *connection)
{
    return part_of_connection(connection, &watch_state);
}

struct watch_session *watch_of_session(struct hosted *hosted)
{
    return part_of_session(hosted, &watch_state);
}
