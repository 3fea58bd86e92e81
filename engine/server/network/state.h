/* SPDX-License-Identifier: Apache-2.0 */
/* The network part's state per session. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/allowance.h"
#include "net/anchor.h"
#include "net/index.h"
#include "net/net.h"
#include "server/core/hosted.h"
#include "server/core/part.h"
#include "settings/settings.h"

enum { REFUSED_MAX = 8, REFUSED_TEXT = 320 };

/* What may still be written to the journal. */
struct network_audit {
    struct gb_allowance allowance;
    uint64_t left_out;
};

/* The ports of the guest on which programs listen, ascending. */
struct network_listening {
    uint16_t ports[GB_LISTENING_MAX], told[GB_LISTENING_MAX]; /* told: in the last event */
    unsigned count, told_count;
    struct gb_timer *pause; /* until the next event may be sent; NULL: there never was one */
};

enum { NOTES_MAX = 4, NOTE_TEXT = 400 };

struct network_server {
    struct gb_indexes *indexes; /* where the host's package managers fetch from */
    bool writing;               /* the settings file */
    struct gb_anchors anchors;  /* what this host trusts */
};

struct network_session {
    char name[GB_SETTINGS_NAME_MAX + 1];        /* "": none */
    char policy_name[GB_SETTINGS_NAME_MAX + 1]; /* of the settings, or a preset: with which it
                                                 * began, before rules were added; "": none */
    struct gb_net *net;                         /* NULL: it never had a network, or an open port */
    bool on;
    uint8_t mark[GB_NET_MARK_BYTES]; /* of the conversation */
    struct gb_allowance restarts;    /* of what has ended by itself in the guest */
    struct gb_timer *restart_timer;  /* until the next one is allowed; NULL: there never was one */
    bool pending;                    /* its policy has to be found before it starts */
    int preset;                      /* of which preset, if so */
    struct gb_index_wait wait;       /* for that */
    uint32_t cell;                   /* running; 0: none */
    char refused[REFUSED_MAX][REFUSED_TEXT]; /* since the last reply to a cell */
    size_t refused_count;
    struct network_audit audit;
    struct network_listening listening;
    struct gb_timer *question_timer; /* of the oldest question; NULL: there never was one */
    struct gb_allowance question_allowance;
    const char *answerer;             /* while an answer is applied: the client, NULL: unnamed */
    char notes[NOTES_MAX][NOTE_TEXT]; /* for the running cell */
    size_t note_count;
    struct network_secrets *secrets; /* secrets.c; NULL: none */
};

extern const struct part_state network_sizes;

struct network_server *network_server(const struct gb_server *server);
struct network_session *network_state(struct hosted *hosted);
