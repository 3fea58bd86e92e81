/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets that receive what programs send to the network, and the BPF programs that redirect it
 * there. */
#pragma once

/* Non-blocking; -1: not open. */
struct capture {
    int listener; /* accepts granted connections; getsockname() returns the intended destination */
    int resolver; /* UDP, port 53 of every address */
    int syns;     /* raw: receives each held SYN */
    int out;      /* raw: sends packets with their headers */
    int link;     /* the redirection lasts as long as this is open */
    /* From capture_prepare() to capture_open(): */
    int map, see_syns, hold;
};

/* Does what can be done before there is a network, and cannot be noticed: loads the BPF programs
 * and links the one that redirects. There are no sockets yet, so it drops what is not for the
 * guest's own addresses, to which there is no route. Returns NULL, or the name of the step that
 * failed, with errno set. */
const char *capture_prepare(struct capture *capture, int proc_fd);
/* Opens the sockets, and redirects to them. Likewise. */
const char *capture_open(struct capture *capture);
/* Closes what is open. */
void capture_close(struct capture *capture);
