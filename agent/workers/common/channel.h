/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The worker's end of a control channel (docs/guest.md, "Control channel"). */

enum {
    MSG_CELL = 1,
    MSG_SETTINGS,
    MSG_READY,
    MSG_DONE,
    MSG_SETTLED,
    MSG_DISPLAY,
    MSG_WAITING,
    MSG_PREPARE,
    MSG_PREPARED,
    MSG_ENDING,
    MSG_BEGUN,
    MSG_COMPLETE = 16,
    MSG_COMPLETIONS,
    MSG_IS_COMPLETE,
    MSG_COMPLETENESS,
    MSG_DESCRIBE,
    MSG_DESCRIPTION,
};

#define CHANNEL_MESSAGE_MAX (16u << 20)
#define CHANNEL_HEADER_SIZE 8u
#define CHANNEL_CELL_FDS 3
#define CHANNEL_FIRST_FD 100
#define CHANNEL_EXIT_VIOLATION 70

struct channel {
    int fd;
    uint8_t *data;
    size_t size;
    size_t capacity;
    int fds[CHANNEL_CELL_FDS];
    size_t n_fds;
};

/* A received message; the payload is valid until the next call for the same channel. */
struct message {
    uint8_t type;
    const uint8_t *data;
    size_t size;
};

/* Reads a payload's fields; exits the process if one is missing. */
struct fields {
    const uint8_t *data;
    size_t left;
};

/* A payload being built; exits the process if memory runs out. */
struct payload {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* Moves @fd to CHANNEL_FIRST_FD or above, close-on-exec. */
void channel_init(struct channel *c, int fd);
/* Reads what is available, waiting for the first byte. Exits quietly at end of file. */
void channel_fill(struct channel *c);
/* Returns the next complete message; false if there is none yet. @drop: the previous one has been
 * handled. */
bool channel_next(struct channel *c, struct message *ret_message);
void channel_drop(struct channel *c, const struct message *m);
void channel_send(struct channel *c, uint8_t type, const struct payload *p);

uint8_t fields_u8(struct fields *f);
uint32_t fields_u32(struct fields *f);
/* Borrows from the message. */
const uint8_t *fields_bytes(struct fields *f, size_t *ret_size);
void fields_end(const struct fields *f);

void payload_u8(struct payload *p, uint8_t value);
void payload_u32(struct payload *p, uint32_t value);
void payload_bytes(struct payload *p, const void *data, size_t size);
/* Without a length in front: fields that are already encoded. */
void payload_raw(struct payload *p, const void *data, size_t size);
void payload_string(struct payload *p, const char *text);
void payload_release(struct payload *p);

/* Exits the process: the peer violated the protocol. */
_Noreturn void channel_violation(void);

/* Ends the process after its last message: stops and waits until the agent, which has read the
 * message, kills it. Under emulation the kernel takes longer to tear down a process than many
 * programs take to run (70 ms for an interpreter: hardly any of that code has run in a clone
 * before), and the agent would not be scheduled before that is finished. The process exits on its
 * own if the peer is gone. */
_Noreturn void channel_depart(const struct channel *c, int code);
