/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

const struct part_state packages_sizes = {.server = sizeof(struct packages_server),
                                          .session = sizeof(struct packages_session)};

struct packages_session *packages_of(struct hosted *hosted)
{
    return part_of_session(hosted, &packages_sizes);
}

struct packages_server *packages_server(const struct gb_server *server)
{
    return part_of_server(server, &packages_sizes);
}
