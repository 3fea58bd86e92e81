/* SPDX-License-Identifier: Apache-2.0 */
/* Enumerations that are words on the socket. Each is defined in one list here, which the server,
 * the journal, the clients and the tables of docs/protocol.md all use.
 *
 * GB_ENUM(gb_mode, GB_MODES) declares
 *   const char *gb_mode_to_string(enum gb_mode mode);     the word; never NULL
 *   bool gb_mode_from_string(struct gb_bytes word, enum gb_mode *ret_mode);
 *                                                         false, and nothing done: no such word
 *   const struct gb_words gb_mode_words;                  the same for tables
 *   const char *const gb_mode_names[];                    the words alone, ends with NULL
 * Some values travel in guest frames or are stored in the journal: add new rows only at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct gb_words {
    const char *const *names; /* NULL-terminated */
    unsigned first, count;    /* names[0] is the word for value @first */
};

/* The word for @value; "?" if it has none. */
const char *gb_words_at(const struct gb_words *words, unsigned value);
bool gb_words_find(const struct gb_words *words, struct gb_bytes word, unsigned *ret_value);

#define GB_ENUM_ROW(name_, word_) name_,
#define GB_ENUM(type_, rows_)                                                                      \
    extern const char *const type_##_names[];                                                      \
    extern const struct gb_words type_##_words;                                                    \
    static inline const char *type_##_to_string(enum type_ value)                                  \
    {                                                                                              \
        return gb_words_at(&type_##_words, (unsigned)value);                                       \
    }                                                                                              \
    static inline bool type_##_from_string(struct gb_bytes word, enum type_ *ret_value)            \
    {                                                                                              \
        unsigned value;                                                                            \
                                                                                                   \
        if (!gb_words_find(&type_##_words, word, &value))                                          \
            return false;                                                                          \
        *ret_value = (enum type_)value;                                                            \
        return true;                                                                               \
    }                                                                                              \
    struct gb_words

/* ---- network ---- */

/* The subject of a record of a session's network. */
#define GB_NETWORK_ENTRIES(X)                                                                      \
    X(GB_NETWORK_CONNECTION, "connection") /* one that was open has ended */                       \
    X(GB_NETWORK_DENIED, "denied")         /* one, or a name, was refused or failed */             \
    X(GB_NETWORK_POLICY, "policy")         /* a client set the rules */                            \
    X(GB_NETWORK_ANSWER, "answer")         /* a question was decided */                            \
    X(GB_NETWORK_END, "end")               /* of the session; the bytes of all connections */      \
    X(GB_NETWORK_REQUEST, "request")       /* to a host of a secret */                             \
    X(GB_NETWORK_PORT, "port")             /* forwarding of a port began or ended */               \
    X(GB_NETWORK_VISIT, "visit")           /* a connection to a forwarded port has ended */
enum gb_network_entry { GB_NETWORK_ENTRIES(GB_ENUM_ROW) GB_NETWORK_ENTRY_COUNT };
GB_ENUM(gb_network_entry, GB_NETWORK_ENTRIES);

/* What a client decides about a question. */
#define GB_NETWORK_ANSWERS(X)                                                                      \
    X(GB_ANSWER_ONCE, "once")       /* the connections that wait */                                \
    X(GB_ANSWER_SESSION, "session") /* and all later ones of the session */                        \
    X(GB_ANSWER_REFUSE, "refuse")   /* not those that wait */                                      \
    X(GB_ANSWER_NEVER, "never")     /* and none of the session */                                  \
    X(GB_ANSWER_ALWAYS, "always")   /* all later ones of every session with that policy */
enum gb_network_answer { GB_NETWORK_ANSWERS(GB_ENUM_ROW) GB_ANSWER_COUNT };
GB_ENUM(gb_network_answer, GB_NETWORK_ANSWERS);

/* ---- cells ---- */

/* What runs the code of a cell. */
#define GB_MODES(X)                                                                                \
    X(GB_MODE_KERNEL, "kernel")   /* the session's interpreter */                                  \
    X(GB_MODE_PROCESS, "process") /* a fresh process of the same language */                       \
    X(GB_MODE_SHELL, "shell")     /* the language of that name, in the same VM */
enum gb_mode { GB_MODES(GB_ENUM_ROW) GB_MODE_COUNT };
GB_ENUM(gb_mode, GB_MODES);

#define GB_CELL_STATES(X)                                                                          \
    X(GB_CELL_QUEUED, "queued") X(GB_CELL_RUNNING, "running") X(GB_CELL_DONE, "done")
enum gb_cell_state { GB_CELL_STATES(GB_ENUM_ROW) GB_CELL_STATE_COUNT };
GB_ENUM(gb_cell_state, GB_CELL_STATES);

/* Output streams, numbered as their descriptors. */
#define GB_OUTPUTS(X) X(GB_STDOUT, "stdout") X(GB_STDERR, "stderr")
enum gb_output { GB_OUTPUT_NONE, GB_OUTPUTS(GB_ENUM_ROW) GB_OUTPUT_END };
GB_ENUM(gb_output, GB_OUTPUTS);

/* What happened to a file since the previous cell. */
#define GB_CHANGES(X) X(GB_ADDED, "added") X(GB_CHANGED, "changed") X(GB_REMOVED, "removed")
enum gb_change { GB_CHANGES(GB_ENUM_ROW) GB_CHANGE_COUNT };
GB_ENUM(gb_change, GB_CHANGES);

/* Whether code is complete and can be run. */
#define GB_COMPLETENESSES(X)                                                                       \
    X(GB_COMPLETE, "complete") X(GB_INCOMPLETE, "incomplete") X(GB_INVALID, "invalid")
enum gb_completeness { GB_COMPLETENESSES(GB_ENUM_ROW) GB_COMPLETENESS_COUNT };
GB_ENUM(gb_completeness, GB_COMPLETENESSES);

/* ---- sessions ---- */

/* States before GB_SESSION_CLOSED are those of an open session. */
#define GB_SESSION_STATES(X)                                                                       \
    X(GB_SESSION_STARTING, "starting")                                                             \
    X(GB_SESSION_IDLE, "idle")                                                                     \
    X(GB_SESSION_RUNNING, "running")                                                               \
    X(GB_SESSION_WAITING_INPUT, "waiting_input")                                                   \
    X(GB_SESSION_ASLEEP, "asleep") /* on disk, without a VM until it is used */                    \
    X(GB_SESSION_CLOSED, "closed")                                                                 \
    X(GB_SESSION_LOST, "lost") /* it was open when its server died */
enum gb_session_state { GB_SESSION_STATES(GB_ENUM_ROW) GB_SESSION_STATE_COUNT };
GB_ENUM(gb_session_state, GB_SESSION_STATES);

/* Why a session ended. */
#define GB_ENDS(X)                                                                                 \
    X(GB_END_CLOSED, "closed")   /* a client closed it */                                          \
    X(GB_END_EXPIRED, "expired") /* idle for too long, or past its lifetime */                     \
    X(GB_END_CRASHED, "crashed") /* its VM died */                                                 \
    X(GB_END_LOST, "lost")       /* its server died */
enum gb_end { GB_ENDS(GB_ENUM_ROW) GB_END_COUNT };
GB_ENUM(gb_end, GB_ENDS);

/* Where a session's VM came from. */
#define GB_SOURCES(X)                                                                              \
    X(GB_SOURCE_BOOT, "boot")         /* a cold boot */                                            \
    X(GB_SOURCE_TEMPLATE, "template") /* a clone restored for it */                                \
    X(GB_SOURCE_POOL, "pool")         /* a clone from the pool */                                  \
    X(GB_SOURCE_FORK, "fork")         /* a clone at a moment of another session's past */
enum gb_source { GB_SOURCES(GB_ENUM_ROW) GB_SOURCE_COUNT };
GB_ENUM(gb_source, GB_SOURCES);

/* What a client does to a lease, and what happened to the lease. */
#define GB_LEASE_ACTIONS(X)                                                                        \
    X(GB_LEASE_TAKE, "take") X(GB_LEASE_RELEASE, "release") X(GB_LEASE_HAND_OVER, "hand_over")
enum gb_lease_action { GB_LEASE_ACTIONS(GB_ENUM_ROW) GB_LEASE_ACTION_COUNT };
GB_ENUM(gb_lease_action, GB_LEASE_ACTIONS);

#define GB_LEASE_CHANGES(X)                                                                        \
    X(GB_LEASE_TAKEN, "taken")                                                                     \
    X(GB_LEASE_RELEASED, "released")                                                               \
    X(GB_LEASE_HANDED_OVER, "handed_over")                                                         \
    X(GB_LEASE_DISCONNECTED, "disconnected") /* its holder's connection closed */
enum gb_lease_change { GB_LEASE_CHANGES(GB_ENUM_ROW) GB_LEASE_CHANGE_COUNT };
GB_ENUM(gb_lease_change, GB_LEASE_CHANGES);

/* ---- files ---- */

#define GB_ENTRY_TYPES(X)                                                                          \
    X(GB_ENTRY_FILE, "file")                                                                       \
    X(GB_ENTRY_DIR, "dir")                                                                         \
    X(GB_ENTRY_SYMLINK, "symlink")                                                                 \
    X(GB_ENTRY_OTHER, "other")
enum gb_entry_type { GB_ENTRY_TYPES(GB_ENUM_ROW) GB_ENTRY_TYPE_COUNT };
GB_ENUM(gb_entry_type, GB_ENTRY_TYPES);

/* ---- capacity ---- */

/* The resource that is too short for another VM (capacity/admission.h). */
#define GB_SHORTAGES(X)                                                                            \
    X(GB_SHORTAGE_MEMORY, "memory")                                                                \
    X(GB_SHORTAGE_VMS, "vms")                                                                      \
    X(GB_SHORTAGE_STARTS, "starts")                                                                \
    X(GB_SHORTAGE_AVAILABLE, "available")                                                          \
    X(GB_SHORTAGE_PRESSURE, "pressure")
enum gb_shortage { GB_SHORTAGE_NONE, GB_SHORTAGES(GB_ENUM_ROW) GB_SHORTAGE_COUNT };
GB_ENUM(gb_shortage, GB_SHORTAGES);

/* Where a budget comes from. */
#define GB_BUDGET_SOURCES(X)                                                                       \
    X(GB_BUDGET_BY_SETTINGS, "settings")                                                           \
    X(GB_BUDGET_BY_GROUP, "cgroup")                                                                \
    X(GB_BUDGET_BY_HOST, "host")
enum gb_budget_source { GB_BUDGET_SOURCES(GB_ENUM_ROW) GB_BUDGET_SOURCE_COUNT };
GB_ENUM(gb_budget_source, GB_BUDGET_SOURCES);

#define GB_TEMPLATE_STATES(X)                                                                      \
    X(GB_TEMPLATE_NONE, "none")                                                                    \
    X(GB_TEMPLATE_CHECKING, "checking") /* being looked up and verified */                         \
    X(GB_TEMPLATE_MAKING, "making")                                                                \
    X(GB_TEMPLATE_READY, "ready")                                                                  \
    X(GB_TEMPLATE_FAILED, "failed")
enum gb_template_state { GB_TEMPLATE_STATES(GB_ENUM_ROW) GB_TEMPLATE_STATE_COUNT };
GB_ENUM(gb_template_state, GB_TEMPLATE_STATES);

/* A VM of the warm pool. */
#define GB_POOL_VM_STATES(X)                                                                       \
    X(GB_POOL_VM_WAITING, "waiting")   /* for the template's state */                              \
    X(GB_POOL_VM_STARTING, "starting") /* being restored and warmed up */                          \
    X(GB_POOL_VM_READY, "ready")
enum gb_pool_vm_state { GB_POOL_VM_STATES(GB_ENUM_ROW) GB_POOL_VM_STATE_COUNT };
GB_ENUM(gb_pool_vm_state, GB_POOL_VM_STATES);

/* ---- the server ---- */

/* What isolates guests from the host. */
#define GB_ISOLATIONS(X)                                                                           \
    X(GB_ISOLATION_HARDWARE, "hardware")                                                           \
    X(GB_ISOLATION_EMULATION, "emulation") /* no security boundary */
enum gb_isolation { GB_ISOLATIONS(GB_ENUM_ROW) GB_ISOLATION_COUNT };
GB_ENUM(gb_isolation, GB_ISOLATIONS);
