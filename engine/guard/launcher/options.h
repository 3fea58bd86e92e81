/* SPDX-License-Identifier: Apache-2.0 */
/* The launcher's command line.
 *
 *     glassbell-launcher [OPTION…] -- PROGRAM [ARGUMENT…]
 *
 *     --require          fail if a stage cannot be applied
 *     --uid N            as root: the user and group that PROGRAM runs as
 *     --memory MB        limit on PROGRAM's private memory; 0 or not given: no limit
 *     --keep N           PROGRAM keeps descriptors 0–2 and N more from GUARD_FD_FIRST on
 *     --file NAME=PATH   PROGRAM can read the file; %{NAME} in an argument stands for its path
 *     --read NAME=PATH   opened here for reading and handed to PROGRAM when it opens %{NAME} for
 *                        reading and writing, as QEMU 7.2 does with the RAM file of a clone
 *     --write NAME=PATH  the same, for reading and writing
 *     --kvm              Linux: allow the ioctls of KVM, and hand out /dev/kvm
 *     --hvf              macOS: guests run on the processor, so that no code is translated
 *
 * Without PROGRAM, all stages are applied to a process that then exits with success.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* Descriptors that the launcher inherits, besides 0–2. */
enum { GUARD_FD_STATUS = 3, GUARD_FD_LIFELINE = 4, GUARD_FD_FIRST = 5 };

enum { GUARD_FILES_MAX = 16, GUARD_PATH_MAX = 4096 };

enum guard_file_kind { GUARD_FILE_SEEN, GUARD_FILE_READ, GUARD_FILE_WRITE };

struct guard_file {
    enum guard_file_kind kind;
    char name[32];
    const char *path; /* on the host */
    int fd;           /* for READ and WRITE; else -1 */
};

struct guard_options {
    bool require, kvm, hvf;
    uid_t uid;          /* 0: not given */
    unsigned memory_mb; /* 0: no limit */
    unsigned keep;
    struct guard_file files[GUARD_FILES_MAX];
    size_t file_count;
    char **program; /* argv; NULL: no program */
};

/* Borrows @argv. Returns false with a message in *@ret_error if the command line is invalid. */
bool options_read(struct guard_options *options, int argc, char **argv, const char **ret_error);

/* Writes what a file's name stands for; @whole: it is all of the argument. */
typedef void options_put(FILE *out, const struct guard_file *file, bool whole);

/* Replaces each %{NAME} in the program's arguments. False if a name is unknown or memory runs
 * out. */
bool options_place_files(struct guard_options *options, options_put *put);

/* "/vm/NAME" */
void options_inside_path(const struct guard_file *file, char *to, size_t size);
