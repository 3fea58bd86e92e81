/* SPDX-License-Identifier: Apache-2.0 */
#include "net/index.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/policy.h"
#include "net/preset.h"
#include "platform/socket.h"

enum {
    SAID_MAX = 1 << 20,
    READ_MAX = 16 * 1024,
    COMMAND_MS = 30000,
    LOOKUP_MS = 10000,
    LOOKUPS_MAX = 16,
    ADDRESSES_MAX = 8, /* of a host */
    FRESH_MS = 600000,
};

extern char **environ;

struct inquiry {
    struct gb_indexes *indexes;
    int preset;
    bool begun;                /* it is being asked */
    struct gb_list waiters;    /* struct gb_index_wait */
    struct gb_list lookups;    /* struct inquiry_lookup */
    struct gb_buf said, heard; /* the last time; so far */
    struct gb_buf places;      /* as in struct gb_preset_known */
    struct gb_buf configured;  /* rules, as of when it was asked */
    uint64_t told_ns;          /* 0: never */
    struct gb_child *child;
    struct gb_timer *timer;
    struct gb_watch *watch;
    int fd;
};

/* Of a host's addresses: it lives until it is answered, even if nobody waits any more. */
struct inquiry_lookup {
    uv_getaddrinfo_t request;
    struct gb_list link;
    struct inquiry *inquiry; /* NULL: nobody waits */
    char *name;
};

struct gb_indexes {
    struct gb_loop *loop;
    struct inquiry inquiries[GB_PRESETS];
};

struct gb_indexes *gb_indexes_new(struct gb_loop *loop)
{
    struct gb_indexes *indexes = xcalloc(1, sizeof(*indexes));

    indexes->loop = loop;
    for (int i = 0; i < GB_PRESETS; i++) {
        indexes->inquiries[i].indexes = indexes;
        indexes->inquiries[i].preset = i;
        indexes->inquiries[i].fd = -1;
        gb_list_init(&indexes->inquiries[i].waiters);
        gb_list_init(&indexes->inquiries[i].lookups);
    }
    return indexes;
}

/* Also of what it has started. */
static void inquiry_stop(struct inquiry *inquiry)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&inquiry->lookups)) != NULL) {
        struct inquiry_lookup *lookup = container_of(link, struct inquiry_lookup, link);

        lookup->inquiry = NULL;
        (void)uv_cancel((uv_req_t *)&lookup->request); /* fails if it is already running */
    }
    if (inquiry->child != NULL)
        gb_child_signal_group(inquiry->child, SIGKILL);
    gb_child_free(TAKE_PTR(inquiry->child));
    gb_timer_free(TAKE_PTR(inquiry->timer));
    gb_watch_free(TAKE_PTR(inquiry->watch));
    inquiry->fd = gb_close(inquiry->fd);
}

void gb_indexes_free(struct gb_indexes *indexes)
{
    if (indexes == NULL)
        return;
    for (int i = 0; i < GB_PRESETS; i++) {
        struct inquiry *inquiry = &indexes->inquiries[i];

        inquiry_stop(inquiry);
        gb_buf_release(&inquiry->said);
        gb_buf_release(&inquiry->heard);
        gb_buf_release(&inquiry->places);
        gb_buf_release(&inquiry->configured);
    }
    free(indexes);
}

static void inquiry_end(struct inquiry *inquiry)
{
    struct gb_list waiters, *link;

    inquiry_stop(inquiry);
    inquiry->begun = false;
    inquiry->told_ns = gb_loop_now_ns();
    gb_list_init(&waiters);
    while ((link = gb_list_pop(&inquiry->waiters)) != NULL)
        gb_list_add_tail(&waiters, link);
    while ((link = gb_list_pop(&waiters)) != NULL) { /* one may make others forget */
        struct gb_index_wait *wait = container_of(link, struct gb_index_wait, link);

        wait->waits = false;
        wait->done(wait->arg);
    }
}

/* ---- where the hosts are ---- */

/* Notes a host that has no public address. */
static void inquiry_add_place(struct inquiry *inquiry, const char *name,
                              const struct addrinfo *list)
{
    _cleanup_(gb_buf_release) struct gb_buf place = {0};
    char text[GB_ADDRESS_TEXT];
    struct gb_address address;
    int count = 0;

    for (; list != NULL; list = list->ai_next) {
        if (!gb_address_from_socket(list->ai_addr, &address))
            continue;
        if (gb_address_class(&address) == GB_ADDRESS_PUBLIC)
            return;
        if (gb_address_class(&address) == GB_ADDRESS_NEVER || ++count > ADDRESSES_MAX)
            continue;
        gb_address_format(&address, text);
        gb_buf_addf(&place, " %s", text);
    }
    if (count > 0)
        gb_buf_addf(&inquiry->places, "%s%s\n", name, gb_buf_str(&place));
}

static void inquiry_on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct inquiry_lookup *lookup = container_of(request, struct inquiry_lookup, request);
    struct inquiry *inquiry = lookup->inquiry;

    if (inquiry != NULL) {
        gb_list_remove(&lookup->link);
        if (status == 0)
            inquiry_add_place(inquiry, lookup->name, list);
    }
    uv_freeaddrinfo(list);
    free(lookup->name);
    free(lookup);
    if (inquiry != NULL && gb_list_empty(&inquiry->lookups))
        inquiry_end(inquiry);
}

static void inquiry_look_up(struct inquiry *inquiry, const char *name)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct inquiry_lookup *lookup, *other;
    int count = 0;

    GB_LIST_FOREACH(other, &inquiry->lookups, link)
        if (++count == LOOKUPS_MAX || strcmp(other->name, name) == 0)
            return;
    lookup = xcalloc(1, sizeof(*lookup));
    lookup->inquiry = inquiry;
    lookup->name = xstrdup(name);
    if (uv_getaddrinfo(gb_loop_uv(inquiry->indexes->loop), &lookup->request, inquiry_on_resolved,
                       name, NULL, &hints) == 0) {
        gb_list_add_tail(&inquiry->lookups, &lookup->link);
        return;
    }
    free(lookup->name);
    free(lookup);
}

static void inquiry_on_lookups_late(void *arg)
{
    gb_info("looking up the hosts of a package index takes too long");
    inquiry_end(arg);
}

/* The hosts of the rules as they would be without this. */
static void inquiry_look_up_all(struct inquiry *inquiry)
{
    const struct gb_preset_known known = {.said = gb_buf_bytes(&inquiry->said)};
    _cleanup_(gb_buf_release) struct gb_buf rules = {0};
    _cleanup_(gb_policy_release) struct gb_policy policy = {0};

    gb_buf_clear(&inquiry->places);
    if (gb_preset_rules(inquiry->preset, &known, &rules, NULL) == 0 &&
        gb_policy_parse(&policy, gb_buf_bytes(&rules), NULL) == 0)
        for (size_t i = 0; i < policy.rule_count; i++)
            for (size_t n = 0; n < policy.rules[i].count; n++)
                inquiry_look_up(inquiry, policy.rules[i].names[n]);
    if (gb_list_empty(&inquiry->lookups)) {
        inquiry_end(inquiry);
        return;
    }
    inquiry->timer = gb_timer_new(inquiry->indexes->loop, inquiry_on_lookups_late, inquiry);
    gb_timer_start(inquiry->timer, LOOKUP_MS);
}

/* ---- its command ---- */

static void inquiry_command_end(struct inquiry *inquiry)
{
    inquiry_stop(inquiry);
    gb_buf_release(&inquiry->said);
    inquiry->said = inquiry->heard;
    inquiry->heard = (struct gb_buf){0};
    inquiry_look_up_all(inquiry);
}

static void inquiry_on_readable(void *arg)
{
    struct inquiry *inquiry = arg;
    uint8_t bytes[READ_MAX];
    ssize_t n = read(inquiry->fd, bytes, sizeof(bytes));

    if (n > 0)
        gb_buf_add(&inquiry->heard, bytes, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        inquiry_command_end(inquiry);
    if (inquiry->heard.size > SAID_MAX)
        inquiry_command_end(inquiry);
}

static void inquiry_on_late(void *arg)
{
    struct inquiry *inquiry = arg;

    gb_info("a package manager does not say what its index is: %s",
            gb_preset_command(inquiry->preset));
    inquiry_command_end(inquiry);
}

/* The end of what it prints is its end. */
static void inquiry_on_exited(void *arg, int status, int signal)
{
    struct inquiry *inquiry = arg;

    gb_debug("a package manager was asked for its index: %d, %d", status, signal);
    gb_child_free(TAKE_PTR(inquiry->child));
}

static int inquiry_begin(struct inquiry *inquiry, struct gb_err *err)
{
    char *const argv[] = {(char[]){"sh"}, (char[]){"-c"},
                          (char *)(uintptr_t)gb_preset_command(inquiry->preset), NULL};
    struct gb_child_config config = {
        .file = "/bin/sh", .argv = argv, .env = environ, .fd_count = 3, .new_session = true};
    struct gb_loop *loop = inquiry->indexes->loop;
    int pipe[2], r = gb_socket_pipe(pipe);

    if (r < 0)
        return gb_err_sys(err, -r, "cannot make a pipe");
    config.fds[0] = config.fds[2] = -1;
    config.fds[1] = pipe[1];
    r = gb_fd_set_nonblocking(pipe[0], true);
    if (r < 0)
        r = gb_err_sys(err, -r, "cannot use a pipe");
    else
        r = gb_child_start(loop, &config, inquiry_on_exited, inquiry, &inquiry->child, err);
    (void)gb_close(pipe[1]);
    if (r < 0) {
        (void)gb_close(pipe[0]);
        return r;
    }
    inquiry->fd = pipe[0];
    inquiry->watch = gb_watch_new(loop, pipe[0], inquiry_on_readable, inquiry);
    inquiry->timer = gb_timer_new(loop, inquiry_on_late, inquiry);
    gb_timer_start(inquiry->timer, COMMAND_MS);
    return 0;
}

/* ---- who asks ---- */

/* Whether what is known is as of now. Notes what is configured. */
static bool inquiry_is_fresh(struct inquiry *inquiry)
{
    _cleanup_(gb_buf_release) struct gb_buf configured = {0};
    const struct gb_preset_known nothing = {0};
    bool same;

    (void)gb_preset_rules(inquiry->preset, &nothing, &configured, NULL);
    same = gb_bytes_equal(gb_buf_bytes(&configured), gb_buf_str(&inquiry->configured));
    gb_buf_clear(&inquiry->configured);
    gb_buf_add(&inquiry->configured, gb_buf_data(&configured), configured.size);
    return same && inquiry->told_ns != 0 &&
           gb_loop_now_ns() - inquiry->told_ns < (uint64_t)FRESH_MS * 1000000;
}

bool gb_indexes_ask(struct gb_indexes *indexes, int preset, struct gb_index_wait *wait,
                    void (*done)(void *arg), void *arg)
{
    struct inquiry *inquiry = &indexes->inquiries[preset];
    struct gb_err err = {0};

    if (!inquiry->begun) {
        if (inquiry_is_fresh(inquiry))
            return true;
        if (inquiry_begin(inquiry, &err) < 0) {
            gb_warning("a package manager cannot be asked for its index: %s", err.message);
            return true;
        }
        inquiry->begun = true;
    }
    *wait = (struct gb_index_wait){.done = done, .arg = arg, .waits = true};
    gb_list_add_tail(&inquiry->waiters, &wait->link);
    return false;
}

void gb_indexes_forget(struct gb_index_wait *wait)
{
    if (!wait->waits)
        return;
    wait->waits = false;
    gb_list_remove(&wait->link);
}

struct gb_preset_known gb_indexes_known(const struct gb_indexes *indexes, int preset)
{
    const struct inquiry *inquiry = &indexes->inquiries[preset];

    return (struct gb_preset_known){.said = gb_buf_bytes(&inquiry->said),
                                    .places = gb_buf_bytes(&inquiry->places)};
}
