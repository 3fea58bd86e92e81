/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

const struct part_state network_sizes = {.session = sizeof(struct network_session)};

struct network_session *network_state(struct hosted *hosted)
{
    return part_of_session(hosted, &network_sizes);
}
