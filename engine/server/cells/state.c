/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

const struct part_state cells_state = {
    .server = sizeof(struct cells_server),
    .connection = sizeof(struct cells_connection),
    .session = sizeof(struct cells_session),
};

struct cells_server *cells_of_server(const struct gb_server *server)
{
    return part_of_server(server, &cells_state);
}

struct cells_connection *cells_of_connection(struct connection *connection)
{
    return part_of_connection(connection, &cells_state);
}

struct cells_session *cells_of_session(struct hosted *hosted)
{
    return part_of_session(hosted, &cells_state);
}
