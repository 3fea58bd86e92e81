/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include "agent.h"
#include "console.h"
#include "download.h"
#include "output.h"
#include "upload.h"

/* Per round of the loop: then others get their turn. */
enum { STREAM_ROUND = 4 * GB_STREAM_PIECE };

static const struct gb_mux_kind stream_users[GB_STREAM_KIND_COUNT] = {
    [GB_STREAM_STDOUT] = {.fill = output_fill,
                          .credited = output_credited,
                          .ended = output_refused},
    [GB_STREAM_STDERR] = {.fill = output_fill,
                          .credited = output_credited,
                          .ended = output_refused},
    [GB_STREAM_STDIN] = {.opened = cell_stdin_opened,
                         .data = cell_stdin_data,
                         .shut = cell_stdin_shut,
                         .ended = cell_stdin_ended},
    [GB_STREAM_UPLOAD] = {.opened = upload_opened,
                          .data = upload_data,
                          .shut = upload_shut,
                          .ended = upload_ended},
    [GB_STREAM_DOWNLOAD] = {.opened = download_opened,
                            .fill = download_fill,
                            .ended = download_ended},
    [GB_STREAM_TERMINAL] = {.data = terminal_data,
                            .credited = terminal_credited,
                            .shut = terminal_shut,
                            .ended = terminal_ended},
};

void stream_init(struct agent *agent)
{
    gb_mux_init(&agent->mux, GB_SIDE_GUEST, stream_users, agent, &agent->port.out);
}

void stream_turns(struct agent *agent)
{
    if (!port_is_full(&agent->port))
        gb_mux_run(&agent->mux, STREAM_ROUND);
}

bool stream_goes_on(struct agent *agent)
{
    return gb_mux_is_ready(&agent->mux) && !port_is_full(&agent->port);
}

void stream_frame(struct agent *agent, const struct gb_frame *frame)
{
    struct gb_err err;

    if (gb_mux_frame(&agent->mux, frame, &err) < 0)
        console_fatal("the host broke the protocol: %s", err.message);
}
