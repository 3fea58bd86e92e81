/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/list.h"
#include "base/mem.h"

enum { NEXT_MS = 250, END_MS = 30000 };

/* A name lookup: it lives until it is answered, even if nobody waits any more. */
struct dial_lookup {
    uv_getaddrinfo_t request;
    struct gb_dial *dial; /* NULL: nobody waits */
};

/* The handle comes first: closing it frees the whole struct. */
struct dial_attempt {
    uv_tcp_t tcp;
    uv_connect_t request;
    struct gb_list link;
    struct gb_dial *dial; /* NULL: nobody waits */
    struct gb_address address;
};

struct gb_dial {
    struct gb_loop *loop;
    uint16_t port;
    bool is_private;
    struct gb_address addresses[GB_DIAL_ADDRESSES_MAX];
    size_t count, next;
    struct dial_lookup *lookup;
    struct gb_list attempts;
    struct gb_timer *next_timer, *end_timer;
    struct gb_deferred step;
    struct gb_dial_result result; /* of the last failed attempt */
    void (*done)(void *arg, const struct gb_dial_result *result);
    void *arg;
};

static void dial_on_closed(uv_handle_t *handle)
{
    free(handle);
}

void gb_dial_close(uv_tcp_t *socket, bool reset)
{
    if (uv_is_closing((uv_handle_t *)socket))
        return;
    /* Fails if a shutdown is in progress: the peer sees an orderly end then. */
    if (!reset || uv_tcp_close_reset(socket, dial_on_closed) < 0)
        uv_close((uv_handle_t *)socket, dial_on_closed);
}

static void dial_finish(struct gb_dial *dial)
{
    const struct gb_dial_result result = dial->result; /* the callback may free the dial */

    gb_timer_stop(dial->next_timer);
    gb_timer_stop(dial->end_timer);
    gb_loop_undefer(&dial->step);
    dial->done(dial->arg, &result);
}

/* ---- attempts ---- */

static void dial_step_later(struct gb_dial *dial);

static void dial_failed(struct gb_dial *dial, int status)
{
    dial->result = (struct gb_dial_result){.answer = GB_CONNECT_UNREACHABLE, .why = "unreachable"};
    if (status == UV_ECONNREFUSED)
        dial->result = (struct gb_dial_result){.answer = GB_CONNECT_REFUSED, .why = "refused"};
    else if (status == UV_ETIMEDOUT)
        dial->result = (struct gb_dial_result){.answer = GB_CONNECT_TIMED_OUT, .why = "timed_out"};
    dial_step_later(dial);
}

static void dial_on_connected(uv_connect_t *request, int status)
{
    struct dial_attempt *attempt = container_of(request, struct dial_attempt, request);
    struct gb_dial *dial = attempt->dial;

    if (dial == NULL)
        return; /* it is being closed */
    gb_list_remove(&attempt->link);
    attempt->dial = NULL;
    if (status < 0) {
        gb_dial_close(&attempt->tcp, false);
        dial_failed(dial, status);
        return;
    }
    dial->result = (struct gb_dial_result){GB_CONNECTED, NULL, &attempt->tcp, attempt->address};
    dial_finish(dial);
}

static int dial_connect(struct dial_attempt *attempt, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const struct sockaddr *to = (const struct sockaddr *)&v6;

    if (gb_address_is_v4(&attempt->address)) {
        v4.sin_addr.s_addr = htonl(gb_address_v4(&attempt->address));
        to = (const struct sockaddr *)&v4;
    } else {
        memcpy(&v6.sin6_addr, attempt->address.bytes, sizeof(attempt->address.bytes));
    }
    return uv_tcp_connect(&attempt->request, &attempt->tcp, to, dial_on_connected);
}

static void dial_try_next(struct gb_dial *dial)
{
    struct dial_attempt *attempt = xcalloc(1, sizeof(*attempt));
    int r;

    attempt->dial = dial;
    attempt->address = dial->addresses[dial->next++];
    (void)uv_tcp_init(gb_loop_uv(dial->loop), &attempt->tcp); /* does not open a socket yet */
    gb_list_add_tail(&dial->attempts, &attempt->link);
    r = dial_connect(attempt, dial->port);
    if (r == 0) {
        (void)uv_tcp_nodelay(&attempt->tcp, 1);
        gb_timer_start(dial->next_timer, NEXT_MS);
        return;
    }
    gb_list_remove(&attempt->link);
    attempt->dial = NULL;
    gb_dial_close(&attempt->tcp, false);
    dial_failed(dial, r);
}

/* Tries the next address; ends when all have failed. */
static void dial_step(void *arg)
{
    struct gb_dial *dial = arg;

    if (dial->next < dial->count)
        dial_try_next(dial);
    else if (gb_list_empty(&dial->attempts) && dial->lookup == NULL)
        dial_finish(dial);
}

static void dial_step_later(struct gb_dial *dial)
{
    gb_loop_defer(dial->loop, &dial->step, dial_step, dial);
}

static void dial_on_end(void *arg)
{
    struct gb_dial *dial = arg;

    dial->result = (struct gb_dial_result){.answer = GB_CONNECT_TIMED_OUT, .why = "timed_out"};
    gb_loop_undefer(&dial->step);
    dial_finish(dial);
}

/* ---- addresses ---- */

static void dial_add(struct gb_dial *dial, const struct gb_address *address)
{
    enum gb_address_class of = gb_address_class(address);

    if (of == GB_ADDRESS_NEVER || (of == GB_ADDRESS_PRIVATE && !dial->is_private)) {
        dial->result =
            (struct gb_dial_result){.answer = GB_CONNECT_UNREACHABLE, .why = "private_address"};
        return;
    }
    for (size_t i = 0; i < dial->count; i++) {
        if (memcmp(&dial->addresses[i], address, sizeof(*address)) == 0)
            return;
    }
    if (dial->count < GB_DIAL_ADDRESSES_MAX)
        dial->addresses[dial->count++] = *address;
}

static void dial_on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct dial_lookup *lookup = container_of(request, struct dial_lookup, request);
    struct gb_dial *dial = lookup->dial;

    for (const struct addrinfo *at = list; dial != NULL && status == 0 && at != NULL;
         at = at->ai_next) {
        struct gb_address address;

        if (gb_address_from_socket(at->ai_addr, &address))
            dial_add(dial, &address);
    }
    uv_freeaddrinfo(list);
    free(lookup);
    if (dial == NULL)
        return;
    dial->lookup = NULL;
    dial_step(dial);
}

static void dial_resolve(struct gb_dial *dial, const char *name)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct dial_lookup *lookup = xcalloc(1, sizeof(*lookup));

    lookup->dial = dial;
    if (uv_getaddrinfo(gb_loop_uv(dial->loop), &lookup->request, dial_on_resolved, name, NULL,
                       &hints) == 0)
        dial->lookup = lookup;
    else
        free(lookup);
}

/* ---- life ---- */

struct gb_dial *gb_dial_new(struct gb_loop *loop, const struct gb_dial_target *target,
                            void (*done)(void *arg, const struct gb_dial_result *result), void *arg)
{
    struct gb_dial *dial = xcalloc(1, sizeof(*dial));

    dial->loop = loop;
    dial->port = target->port;
    dial->is_private = target->is_private;
    dial->done = done;
    dial->arg = arg;
    dial->result = (struct gb_dial_result){.answer = GB_CONNECT_UNREACHABLE, .why = "no_address"};
    gb_list_init(&dial->attempts);
    dial->next_timer = gb_timer_new(loop, dial_step, dial);
    dial->end_timer = gb_timer_new(loop, dial_on_end, dial);
    gb_timer_start(dial->end_timer, END_MS);
    for (size_t i = 0; i < target->count; i++)
        dial_add(dial, &target->addresses[i]);
    if (target->count == 0 && target->name != NULL)
        dial_resolve(dial, target->name);
    if (dial->lookup == NULL)
        dial_step_later(dial);
    return dial;
}

void gb_dial_free(struct gb_dial *dial)
{
    struct gb_list *link;

    if (dial == NULL)
        return;
    if (dial->lookup != NULL) {
        dial->lookup->dial = NULL;
        (void)uv_cancel((uv_req_t *)&dial->lookup->request); /* fails if it is already running */
    }
    while ((link = gb_list_pop(&dial->attempts)) != NULL) {
        struct dial_attempt *attempt = container_of(link, struct dial_attempt, link);

        attempt->dial = NULL;
        gb_dial_close(&attempt->tcp, false);
    }
    gb_loop_undefer(&dial->step);
    gb_timer_free(dial->next_timer);
    gb_timer_free(dial->end_timer);
    free(dial);
}
