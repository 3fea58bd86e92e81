/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets to which the kernel hands what programs send to the network, and the programs in the
 * kernel that do it. */
#pragma once

/* Non-blocking. -1: not open. */
struct capture {
    int listener; /* accepts what was granted; getsockname() is where the program wanted to go */
    int resolver; /* UDP, port 53 of every address */
    int syns;     /* raw: each SYN that is held */
    int out;      /* raw: packets with their headers */
    int link;     /* while it is open, the kernel hands over */
};

/* 0, or the name of the step that failed with errno set. */
const char *capture_open(struct capture *capture, int proc_fd);
