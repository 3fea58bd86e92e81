/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/try.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "mcp/content.h"
#include "model/past.h"
#include "rpc/access.h"
#include "rpc/object.h"

struct attempt {
    struct tries *tries;
    struct gb_buf code;
    struct gb_buf result; /* JSON: of `session.exec`, or an error's kind and message */
    bool failed;
};

struct tries {
    size_t count, left;
    int64_t timeout_ms;
    void (*done)(void *arg);
    void *arg;
    struct attempt attempts[TRIES_MAX];
};

struct tries *tries_new(const struct tool_options *options)
{
    struct tries *tries = xcalloc(1, sizeof(*tries));
    const struct gb_json *code = NULL;

    tries->timeout_ms = options->timeout_ms;
    JSON_FOREACH(code, options->codes) {
        struct attempt *attempt = &tries->attempts[tries->count++];

        attempt->tries = tries;
        gb_buf_add(&attempt->code, code->text.data, code->text.size);
    }
    return tries;
}

void tries_free(struct tries *tries)
{
    for (size_t i = 0; tries != NULL && i < tries->count; i++) {
        gb_buf_release(&tries->attempts[i].code);
        gb_buf_release(&tries->attempts[i].result);
    }
    free(tries);
}

static void try_end(struct attempt *attempt)
{
    struct tries *tries = attempt->tries;

    if (--tries->left == 0)
        tries->done(tries->arg);
}

static void try_fail(struct attempt *attempt, const char *kind, struct gb_bytes message)
{
    struct gb_json_out out = {.buf = &attempt->result};

    attempt->failed = true;
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "kind", kind);
    gb_json_put(&out, "message", message);
    gb_json_end(&out);
}

static void try_on_cell(void *arg, const struct gb_json *result, const struct gb_call_error *error)
{
    struct attempt *attempt = arg;
    struct gb_json_out out = {.buf = &attempt->result};

    if (error != NULL)
        try_fail(attempt, error->kind, gb_bytes_str(error->message));
    else
        json_print(&out, NULL, result);
    try_end(attempt);
}

static void try_run(struct attempt *attempt, struct gb_client *client, struct gb_bytes session)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put(&out, "session", session);
    gb_json_put(&out, "code", gb_buf_bytes(&attempt->code));
    if (attempt->tries->timeout_ms > 0)
        gb_json_put_i64(&out, "timeout_ms", attempt->tries->timeout_ms);
    gb_json_end(&out);
    (void)gb_client_call(client, "session.exec", &params, 0, try_on_cell, attempt);
    gb_buf_release(&params);
}

void tries_run(struct tries *tries, struct gb_client *client, const struct gb_json *forked,
               void (*done)(void *arg), void *arg)
{
    struct gb_forked_info info;
    size_t at = 0;

    gb_object_take(&gb_forked_object, forked, &info);
    tries->done = done;
    tries->arg = arg;
    tries->left = tries->count + 1; /* one for this loop */
    for (size_t i = 0; i < tries->count; i++) {
        struct attempt *attempt = &tries->attempts[i];
        struct gb_fork_info fork;

        if (gb_items_next(&gb_fork_object, &info.sessions, &at, &fork) != 1) {
            try_fail(attempt, gb_code_kind(GB_EINTERNAL), gb_bytes_str("there is no copy for it"));
            tries->left--;
        } else if ((fork.flags & GB_FORK_FAILED) != 0) {
            try_fail(attempt, gb_code_kind((enum gb_code)fork.error), fork.message);
            tries->left--;
        } else {
            try_run(attempt, client, fork.session);
        }
    }
    if (--tries->left == 0)
        done(arg);
}

void tries_write(const struct tries *tries, struct gb_json_out *out, enum revision revision,
                 const struct tool *tool, const struct tool_options *options)
{
    struct gb_json_doc docs[TRIES_MAX] = {0};
    const struct gb_json *results[TRIES_MAX];
    bool failed[TRIES_MAX];

    for (size_t i = 0; i < tries->count; i++) {
        const struct attempt *attempt = &tries->attempts[i];

        /* It was written by ourselves; it is parsed in place, and not needed afterwards. */
        if (gb_json_parse(&docs[i], attempt->result.memory + attempt->result.start,
                          attempt->result.size, SIZE_MAX, NULL) < 0)
            abort();
        results[i] = docs[i].nodes;
        failed[i] = attempt->failed;
    }
    content_write_tries(out, revision, tool, options, results, failed, tries->count);
    for (size_t i = 0; i < tries->count; i++)
        gb_json_release(&docs[i]);
}
