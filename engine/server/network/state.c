/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

const struct part_state network_sizes = {
    .server = sizeof(struct network_server),
    .session = sizeof(struct network_session),
};

struct network_server *network_server(const struct gb_server *server)
{
    return part_of_server(server, &network_sizes);
}

struct network_session *network_state(struct hosted *hosted)
{
    return part_of_session(hosted, &network_sizes);
}
