/* SPDX-License-Identifier: Apache-2.0 */
/* `glassbell mcp`: an MCP server on standard input and output. Nothing else writes to the
 * latter. */
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cli/app.h"
#include "kit/input.h"
#include "kit/output.h"
#include "cli/params.h"
#include "mcp/server.h"
#include "verbs/options.h"
#include "verbs/verbs.h"
#include "vm/image.h"

enum {
    /* Stop reading from the client while this much output is unread. */
    QUEUED_HIGH = 4u << 20,
    /* Less than hosts allow for a call: common clients start with 60 s. */
    LEASE_WAIT_MS = 45000,
};

struct mcp {
    struct app app;
    struct input *input;
    struct output *output;
    struct mcp_server *server;
    bool over;
};

static void mcp_on_drained(void *arg)
{
    struct mcp *mcp = arg;

    if (mcp->input != NULL)
        input_pause(mcp->input, false);
}

/* The client does not read any more: there is nobody left to work for. */
static void mcp_on_broken(void *arg, int sys_errno)
{
    struct mcp *mcp = arg;

    (void)sys_errno;
    mcp->over = true;
}

static void mcp_on_input(void *arg, struct gb_bytes bytes)
{
    struct mcp *mcp = arg;

    if (bytes.size == 0) {
        mcp->over = true;
        return;
    }
    mcp_server_input(mcp->server, bytes);
    if (output_queued(mcp->output) > QUEUED_HIGH)
        input_pause(mcp->input, true);
}

static void mcp_send_line(void *arg, struct gb_bytes line)
{
    struct mcp *mcp = arg;

    output_write(mcp->output, line);
}

static size_t mcp_queued(void *arg)
{
    const struct mcp *mcp = arg;

    return output_queued(mcp->output);
}

static bool mcp_read_standards(const struct args *args, struct tool_standards *standards)
{
    const char *memory = args_value(args, "memory"), *idle = args_value(args, "idle");
    double number;

    *standards = (struct tool_standards){.owner = args_value(args, "owner"), .idle_ms = -1};
    if (standards->owner == NULL)
        standards->owner = "mcp";
    standards->image = args_value(args, "image");
    if (memory != NULL) {
        if (!args_number(memory, 64, 1048576, &number)) {
            app_say("-m wants a number of MiB, not %s", memory);
            return false;
        }
        standards->memory_mb = (int64_t)number;
    }
    if (idle != NULL) {
        if (!args_number(idle, 0, 31622400, &number)) {
            app_say("--idle wants seconds, not %s", idle);
            return false;
        }
        standards->idle_ms = (int64_t)(number * 1000);
    }
    return true;
}

/* How long a call waits for a session that another client holds. */
static bool mcp_read_lease_wait(const struct args *args, uint64_t *ret_ms)
{
    const char *wait = args_value(args, "lease-wait");
    double seconds;

    *ret_ms = LEASE_WAIT_MS;
    if (wait == NULL)
        return true;
    if (!args_number(wait, 0, GB_TIMEOUT_MAX_MS / 1000.0, &seconds)) {
        app_say("--lease-wait wants seconds up to %u, not %s", GB_TIMEOUT_MAX_MS / 1000, wait);
        return false;
    }
    *ret_ms = (uint64_t)(seconds * 1000);
    return true;
}

/* What all VMs may reach: as it is now, whatever becomes of a file of rules. @text holds it. */
static bool mcp_read_access(const struct args *args, struct gb_buf *text,
                            struct tool_standards *standards)
{
    const char *policy = args_value(args, "net");
    struct gb_json_out out = {.buf = text};
    bool good;

    gb_json_object(&out, NULL);
    good = params_put_network(args, &out);
    gb_json_end(&out);
    standards->has_network =
        policy != NULL && strcmp(policy, "none") != 0 && strcmp(policy, "off") != 0;
    standards->access = gb_buf_bytes(text);
    standards->access.data++; /* without the braces */
    standards->access.size -= 2;
    return good;
}

static int mcp_run(const struct args *args)
{
    struct mcp mcp = {0};
    _cleanup_(gb_buf_release) struct gb_buf access = {0};
    struct gb_images *images;
    struct mcp_config config = {.send = mcp_send_line, .queued = mcp_queued, .arg = &mcp};
    struct gb_err err = {0};
    struct server_place place;

    if (args->word_count > 0)
        return app_wrong_use(args, "mcp takes no names");
    if (!mcp_read_standards(args, &config.standards) ||
        !mcp_read_access(args, &access, &config.standards) ||
        !mcp_read_lease_wait(args, &config.lease_wait_ms))
        return EXIT_USAGE;
    if (place_find(args, &place, &err) < 0)
        return app_wrong_use(args, "%s", err.message);
    config.host = place.host;
    config.socket = place.socket;
    config.program = place.program;
    /* Of another machine's server they are not known before it is asked. */
    images = place.host == NULL ? verbs_images() : NULL;
    config.languages = images == NULL ? NULL : &images->languages;
    app_open_loop(&mcp.app);
    mcp.output = output_new(mcp.app.loop, STDOUT_FILENO, mcp_on_drained, mcp_on_broken, &mcp);
    mcp.server = mcp_server_new(mcp.app.loop, &config);
    mcp.input = input_new(mcp.app.loop, STDIN_FILENO, mcp_on_input, &mcp);
    while (!mcp.over)
        app_turn(&mcp.app);
    input_free(mcp.input);
    mcp.input = NULL;
    mcp_server_free(mcp.server);
    output_free(mcp.output);
    app_close(&mcp.app);
    gb_images_free(images);
    place_release(&place);
    return 0;
}

static const struct option mcp_options[] = {
    {.name = "image",
     .value = "NAME",
     .kind = ARG_IMAGE,
     .help = "image for code if the model does not name one"},
    {.letter = 'm',
     .name = "memory",
     .value = "MB",
     .kind = ARG_TEXT,
     .help = "memory of each VM in MiB, unless the model specifies it"},
    {.name = "idle",
     .value = "SECONDS",
     .kind = ARG_TEXT,
     .help = "close sessions after being idle for this long (default 1800; 0: never)"},
    {.name = "lease-wait",
     .value = "SECONDS",
     .kind = ARG_TEXT,
     .help = "how long to wait while another client holds the session (default 45; 0: not at all)"},
    OPTION_NET,
    OPTION_SECRET,
    {.name = "owner",
     .value = "NAME",
     .kind = ARG_TEXT,
     .help = "the owner of sessions that are opened; only those are listed"},
    {0},
};

const struct verb verb_mcp = {
    .name = "mcp",
    .summary = "run an MCP server for agents, on standard input and output",
    .usage = "[options]",
    .options = mcp_options,
    .common = app_options,
    .words = ARG_NONE,
    .examples = "  glassbell mcp\n"
                "  claude mcp add glassbell -- glassbell mcp --idle 3600\n",
    .run = mcp_run,
};
