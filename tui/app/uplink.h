/* SPDX-License-Identifier: Apache-2.0 */
/* One server: the link to it, and what is known about it. The front end has one for each host whose
 * sessions it shows; a session belongs to the uplink of its store. Uplinks live as long as the
 * front end. Loop thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/client.h"
#include "store/store.h"

struct tui;
struct uplink;

/* Bounds the memory and the attempts to connect; `glassbell` refuses more hosts. */
enum { TUI_SERVERS_MAX = 16 };

/* In the order of the command line. */
size_t tui_uplink_count(const struct tui *tui);
struct uplink *tui_uplink(struct tui *tui, size_t index);
/* Those of all servers, one server after the other: start with NULL; NULL: no more. */
struct session *tui_next_session(struct tui *tui, const struct session *after);
/* How many there are; @ret_gone of them have ended. */
size_t tui_session_count(struct tui *tui, size_t *ret_gone);
/* The server that @text begins with, as in "build:python", and what follows. Text that begins with
 * no server's name follows as a whole; the server is then NULL. */
struct uplink *tui_uplink_named(struct tui *tui, const char *text, const char **ret_rest);
/* Such a text: "build:python"; with a single server, @rest alone. */
void uplink_qualify(const struct uplink *uplink, const char *rest, char *text, size_t room);

struct tui *uplink_tui(struct uplink *uplink);
struct store *uplink_store(struct uplink *uplink);
struct uplink *uplink_of(const struct session *session);

/* Calls the server, like gb_client_call(); 0 if there is no connection, or if the link is
 * lost and the call would change something: @reply is then not called, and the latter has been
 * reported.
 * A view that is freed has to forget its pending calls. */
uint64_t uplink_call(struct uplink *uplink, const char *method, struct gb_buf *params,
                     uint64_t deadline_ms, gb_reply_cb *reply, void *arg);
void uplink_forget(struct uplink *uplink, uint64_t call);
/* A call on a session of which only failure is reported, and success if @done is not NULL:
 * {"session": @session}. */
void uplink_call_on(struct uplink *uplink, const char *method, const char *session,
                    const char *done);
/* Ends a subscription on the current connection: by the server's number or, if that is 0, by the
 * call that has not returned it yet. */
void uplink_unsubscribe(struct uplink *uplink, int64_t subscription, uint64_t call);
/* Whether there is a server that answers, and tells what happens. */
bool uplink_is_up(const struct uplink *uplink);
/* For what is asked of its server in another way, such as by another program: false, which was
 * told, where uplink_call() would send nothing. */
bool uplink_may_ask(const struct uplink *uplink);
/* Why there is no server, and what to do about it; NULL if there is one, or while it is first being
 * looked for. */
const char *uplink_why(const struct uplink *uplink);
/* For code that uses a client directly; NULL if there is none. */
struct gb_client *uplink_client(struct uplink *uplink);
/* Increases with each new connection: subscriptions on earlier ones are gone. */
uint64_t uplink_connection(const struct uplink *uplink);

/* Notifications of the server that are no events, such as the output of a terminal, while they are
 * listened for. Embed @listener; borrowed until uplink_unlisten(). */
typedef void uplink_notice_cb(void *arg, const char *method, const struct gb_json *params);
struct uplink_listener {
    struct gb_list link;
    uplink_notice_cb *call;
    void *arg;
};
void uplink_listen(struct uplink *uplink, struct uplink_listener *listener, uplink_notice_cb *call,
                   void *arg);
void uplink_unlisten(struct uplink_listener *listener);
