/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a session's agent that get one answer, which has a type: users know no frames.
 *
 * Each function sends one request, also while the session is still starting, and calls @done once,
 * from the loop: with the answer, borrowed for the call, or with an error. An answer that breaks
 * the protocol ends the session, and is the error GB_ECLOSED. A caller that goes away calls
 * gb_session_forget() with its @arg. Errors of the call itself: GB_ECLOSED: the session has ended.
 * GB_EBUSY: too many requests, or bytes, are already waiting for the guest.
 *
 * Deadlines are those of docs/guest.md, unless the function has one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "session/session.h"
#include "wire/guest.h"

/* Memory and processes. Does not count as activity. */
typedef void gb_session_status_fn(void *arg, const struct gb_status *status,
                                  const struct gb_err *err);
int gb_session_status(struct gb_session *session, uint64_t deadline_ms, gb_session_status_fn *done,
                      void *arg, struct gb_err *err);

typedef void gb_session_completions_fn(void *arg, const struct gb_completions *completions,
                                       const struct gb_err *err);
int gb_session_complete(struct gb_session *session, const struct gb_complete *what,
                        gb_session_completions_fn *done, void *arg, struct gb_err *err);

typedef void gb_session_completeness_fn(void *arg, const struct gb_completeness_reply *reply,
                                        const struct gb_err *err);
int gb_session_is_complete(struct gb_session *session, struct gb_bytes code,
                           gb_session_completeness_fn *done, void *arg, struct gb_err *err);

/* What the name at the end of @code is: in the guest's words, for which see gb_description. */
typedef void gb_session_description_fn(void *arg, const struct gb_description *description,
                                       const struct gb_err *err);
int gb_session_describe(struct gb_session *session, struct gb_bytes code,
                        gb_session_description_fn *done, void *arg, struct gb_err *err);

/* A part of a folder: at most as many entries as requested, their names increasing (bytewise) and
 * greater than `after`. */
struct gb_session_page {
    const struct gb_file_entry *entries;
    uint32_t count;
    bool more; /* others follow; never after an empty page */
};
typedef void gb_session_page_fn(void *arg, const struct gb_session_page *page,
                                const struct gb_err *err);
/* @what->limit: 1 to GB_ENTRIES_MAX. */
int gb_session_list_folder(struct gb_session *session, const struct gb_file_list *what,
                           gb_session_page_fn *done, void *arg, struct gb_err *err);

typedef void gb_session_entry_fn(void *arg, const struct gb_file_entry *entry,
                                 const struct gb_err *err);
int gb_session_stat_file(struct gb_session *session, struct gb_bytes path,
                         gb_session_entry_fn *done, void *arg, struct gb_err *err);
int gb_session_remove_file(struct gb_session *session, const struct gb_file_change *what,
                           gb_vm_done_fn *done, void *arg, struct gb_err *err);
int gb_session_make_folder(struct gb_session *session, const struct gb_file_change *what,
                           gb_vm_done_fn *done, void *arg, struct gb_err *err);

/* The guest's side of the network. */
enum gb_session_network {
    GB_SESSION_NETWORK_START, /* the process that serves it; programs get no way out */
    GB_SESSION_NETWORK_ON,
    GB_SESSION_NETWORK_OFF,
    GB_SESSION_NETWORK_COUNT
};
/* @mark: GB_SYNC_BYTES (wire/sync.h), of the conversation on the second port; for OFF any. */
int gb_session_network(struct gb_session *session, enum gb_session_network how, const uint8_t *mark,
                       gb_vm_done_fn *done, void *arg, struct gb_err *err);
/* @certificates: which ones programs trust beyond the image's, as PEM. */
int gb_session_trust(struct gb_session *session, struct gb_bytes certificates, gb_vm_done_fn *done,
                     void *arg, struct gb_err *err);
/* Mounts the packages that gb_vm_attach() has put behind the spare disk. */
int gb_session_mount_packages(struct gb_session *session, gb_vm_done_fn *done, void *arg,
                              struct gb_err *err);
