/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a process, followed through many changes and kept in a chain, and laid into a fresh
 * process again: bit by bit what it was at each moment. */
#include "past/track.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"
#include "guard/launcher/tracking.h"
#include "past/chain.h"

enum { PAGES = 600, STEPS = 30 };

static struct gb_err err;
static char path[64];
static int base = -1;
static struct stat base_info;
static uint64_t copied; /* by the last checkpoint */
static uint8_t expected[STEPS + 1][PAGES * GB_PAGE];

/* A process that has mapped the base. */
struct guest {
    pid_t pid;
    struct gb_memory memory;
};

static struct guest guest_start(void)
{
    struct guest guest = {.memory = GB_MEMORY_NONE};
    int ready[2];
    char byte = 0;

    ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
    guest.pid = fork();
    ck_assert_int_ge(guest.pid, 0);
    if (guest.pid == 0) {
        void *at = mmap(NULL, sizeof(expected[0]), PROT_READ | PROT_WRITE, MAP_PRIVATE, base, 0);

        (void)syscall(SYS_userfaultfd, TRACKING_FLAGS); /* as the launcher has QEMU do */
        if (at == MAP_FAILED || write(ready[1], &byte, 1) != 1)
            _exit(2);
        for (;;)
            (void)pause();
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    (void)gb_close(ready[0]);
    (void)gb_close(ready[1]);
    ck_assert_msg(gb_memory_open(guest.pid, &base_info, &guest.memory, &err) == 0, "%s",
                  err.message);
    return guest;
}

static void guest_end(struct guest *guest)
{
    gb_memory_close(&guest->memory);
    ck_assert_int_eq(kill(guest->pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(guest->pid, NULL, 0), guest->pid);
}

static void guest_compare(const struct guest *guest, const uint8_t *memory)
{
    static uint8_t found[PAGES * GB_PAGE];
    const struct gb_page_range all = {0, PAGES};

    ck_assert_int_eq(gb_memory_read(&guest->memory, &all, 1, found, &err), 0);
    ck_assert_int_eq(memcmp(found, memory, sizeof(found)), 0);
}

static void setup(void)
{
    (void)snprintf(path, sizeof(path), "/tmp/glassbell-track-test-XXXXXX");
    base = mkstemp(path);
    ck_assert_int_ge(base, 0);
    srandom(3);
    for (size_t i = 0; i < sizeof(expected[0]); i++)
        expected[0][i] = i / GB_PAGE % 4 == 0 ? 0 : (uint8_t)random();
    ck_assert_int_eq(gb_fd_write_full(base, expected[0], sizeof(expected[0])),
                     (ssize_t)sizeof(expected[0]));
    ck_assert_int_eq(fstat(base, &base_info), 0);
    ck_assert_int_eq(unlink(path), 0);
}

static void teardown(void)
{
    base = gb_close(base);
    (void)unlink(path);
}

/* Writes to some pages: anew, what they had, or what the base has. Returns how many change. */
static uint32_t change(const struct guest *guest, const uint8_t *before, uint8_t *after)
{
    uint32_t changed = 0;

    memcpy(after, before, sizeof(expected[0]));
    for (int i = 0; i < 40; i++) {
        const struct gb_page_range range = {(uint32_t)random() % PAGES, 1};
        uint8_t *page = after + (size_t)range.first * GB_PAGE;
        const long what = random() % 4;

        if (what == 0)
            memcpy(page, expected[0] + (size_t)range.first * GB_PAGE, GB_PAGE);
        else if (what > 1)
            page[random() % GB_PAGE] ^= (uint8_t)(1 + random() % 255);
        ck_assert_int_eq(gb_memory_write(&guest->memory, &range, 1, page, &err), 0);
    }
    for (size_t page = 0; page < PAGES; page++)
        changed += memcmp(before + page * GB_PAGE, after + page * GB_PAGE, GB_PAGE) != 0;
    return changed;
}

static int lay(void *arg, struct gb_page_range range, const uint8_t *data, struct gb_err *error)
{
    const struct guest *guest = arg;

    return gb_memory_write(&guest->memory, &range, 1, data, error);
}

/* Takes a checkpoint of what @guest is; returns its number. */
static uint64_t keep(struct gb_track *track, struct gb_chain *chain, const struct guest *guest,
                     uint64_t parent, uint32_t expected_pages)
{
    struct gb_track_changes changes;
    struct gb_chain_checkpoint checkpoint = {
        .parent = parent, .memory_pages = PAGES, .device = gb_bytes_str("devices")};
    uint64_t seq;

    ck_assert_msg(gb_track_look(track, &guest->memory, SIZE_MAX, &err) == 0, "%s", err.message);
    copied = gb_track_copied(track);
    ck_assert_msg(gb_track_sort(track, &changes, &err) == 0, "%s", err.message);
    ck_assert_uint_eq(changes.pages, expected_pages);
    checkpoint.ranges = changes.ranges;
    checkpoint.n_ranges = changes.n_ranges;
    checkpoint.pages = changes.data;
    ck_assert_int_eq(gb_chain_append(chain, &checkpoint, &seq, &err), 0);
    gb_track_commit(track);
    return seq;
}

/* One that does not work here is left out. */
static enum gb_memory_way usable(int way)
{
    return gb_memory_way_works(way) ? way : GB_MEMORY_BY_CONTENT;
}

START_TEST(each_moment_comes_back)
{
    const enum gb_memory_way way = usable(_i);
    struct gb_track *track = gb_track_new(PAGES, base, way);
    struct guest guest = guest_start();
    struct gb_chain *chain;
    uint64_t seqs[STEPS + 1] = {0}, written = 0;

    ck_assert_int_eq(gb_chain_open(path, false, &chain, &err), 0);
    for (int i = 1; i <= STEPS; i++) {
        uint32_t changed = change(&guest, expected[i - 1], expected[i]);

        seqs[i] = keep(track, chain, &guest, seqs[i - 1], changed);
        written += copied;
    }
    /* At most 40 pages are written to in a step, and more than 500 are private in the end. */
    ck_assert_int_eq(written <= 40ul * STEPS * GB_PAGE, way != GB_MEMORY_BY_CONTENT);
    guest_end(&guest);
    for (int i = STEPS; i > 0; i -= 3) {
        _cleanup_(gb_buf_release) struct gb_buf device = {0};
        struct guest fresh = guest_start();

        ck_assert_int_eq(gb_chain_read(chain, seqs[i], lay, &fresh, &device, &err), 0);
        guest_compare(&fresh, expected[i]);
        guest_end(&fresh);
    }
    gb_chain_close(chain);
    gb_track_free(track);
}
END_TEST

/* What could not be written is given again. */
START_TEST(nothing_is_forgotten_by_a_failure)
{
    const enum gb_memory_way way = usable(_i);
    struct gb_track *track = gb_track_new(PAGES, base, way);
    struct guest guest = guest_start();
    struct gb_track_changes changes;
    uint32_t first, second;
    struct gb_chain *chain;

    ck_assert_int_eq(gb_chain_open(path, false, &chain, &err), 0);
    first = change(&guest, expected[0], expected[1]);
    ck_assert_int_eq(gb_track_look(track, &guest.memory, SIZE_MAX, &err), 0);
    ck_assert_int_eq(gb_track_sort(track, &changes, &err), 0);
    ck_assert_uint_eq(changes.pages, first);
    (void)keep(track, chain, &guest, 0, first);
    second = change(&guest, expected[1], expected[2]);
    ck_assert_int_eq(gb_track_look(track, &guest.memory, 10 * GB_PAGE, &err), -GB_ETOOLARGE);
    (void)keep(track, chain, &guest, 1, second);
    (void)keep(track, chain, &guest, 2, 0); /* nothing has happened */
    guest_end(&guest);
    ck_assert_int_eq(gb_track_look(track, &guest.memory, SIZE_MAX, &err) < 0, true);
    gb_chain_close(chain);
    gb_track_free(track);
}
END_TEST

/* The comparison that finds what a way has missed finds it. */
START_TEST(what_is_missed_is_noticed)
{
    const enum gb_memory_way way = GB_MEMORY_BY_USERFAULTFD;
    struct gb_track *track = gb_track_new(PAGES, base, way);
    struct guest guest = guest_start();
    struct gb_track_changes changes;
    struct gb_chain *chain;
    struct gb_buf found = {0};

    ck_assert_int_eq(gb_chain_open(path, false, &chain, &err), 0);
    gb_track_verify(track);
    (void)keep(track, chain, &guest, 0, change(&guest, expected[0], expected[1]));
    (void)keep(track, chain, &guest, 1, change(&guest, expected[1], expected[2]));
    if (gb_memory_way_works(way)) {
        (void)change(&guest, expected[2], expected[3]);
        ck_assert_int_eq(gb_memory_changed(&guest.memory, way, &found, &err), 0); /* steals it */
        ck_assert_int_eq(gb_track_look(track, &guest.memory, SIZE_MAX, &err), 0);
        ck_assert_int_eq(gb_track_sort(track, &changes, &err), -GB_EINTERNAL);
    }
    gb_buf_release(&found);
    guest_end(&guest);
    gb_chain_close(chain);
    gb_track_free(track);
}
END_TEST

static const struct guest *disturbed; /* NULL: none */

/* In place of the C library's: in the middle of a look that begins to follow a process. */
int pidfd_getfd(int process, int fd, unsigned flags)
{
    const struct gb_page_range range = {7, 1};
    uint8_t page[GB_PAGE];

    memset(page, 0xa5, sizeof(page));
    if (disturbed != NULL)
        ck_assert_int_eq(gb_memory_write(&disturbed->memory, &range, 1, page, &err), 0);
    disturbed = NULL;
    return (int)syscall(SYS_pidfd_getfd, process, fd, flags);
}

/* QEMU writes to the memory of a guest that stands still what arrives for it: what the look that
 * begins to follow it has not got, the next one has. */
START_TEST(what_is_written_during_the_first_look_is_found)
{
    struct gb_track *track = gb_track_new(PAGES, base, GB_MEMORY_BY_USERFAULTFD);
    struct guest guest = guest_start();
    struct gb_track_changes changes;
    uint32_t found = 0;

    for (int i = 0; i < 2 && gb_memory_way_works(GB_MEMORY_BY_USERFAULTFD); i++) {
        if (i == 0)
            disturbed = &guest;
        ck_assert_int_eq(gb_track_look(track, &guest.memory, SIZE_MAX, &err), 0);
        ck_assert_ptr_null(disturbed);
        ck_assert_int_eq(gb_track_sort(track, &changes, &err), 0);
        gb_track_commit(track);
        found += changes.pages;
    }
    ck_assert_uint_eq(found, gb_memory_way_works(GB_MEMORY_BY_USERFAULTFD));
    guest_end(&guest);
    gb_track_free(track);
}
END_TEST

/* A process without a userfaultfd: as we are. */
START_TEST(who_cannot_be_followed_is_compared)
{
    struct gb_memory memory = GB_MEMORY_NONE;
    uint8_t *at = mmap(NULL, sizeof(expected[0]), PROT_READ | PROT_WRITE, MAP_PRIVATE, base, 0);
    struct gb_track *track = gb_track_new(PAGES, base, GB_MEMORY_BY_USERFAULTFD);
    struct gb_track_changes changes;

    ck_assert_ptr_ne(at, MAP_FAILED);
    ck_assert_int_eq(gb_memory_open(getpid(), &base_info, &memory, &err), 0);
    ck_assert_int_eq(gb_memory_watch(&memory, GB_MEMORY_BY_USERFAULTFD, &err), -GB_EUNSUPPORTED);
    for (uint32_t i = 1; i < 4; i++) {
        at[(size_t)i * GB_PAGE] ^= 1;
        ck_assert_int_eq(gb_track_look(track, &memory, SIZE_MAX, &err), 0);
        ck_assert_int_eq(gb_track_sort(track, &changes, &err), 0);
        ck_assert_uint_eq(changes.pages, 1);
        ck_assert_uint_eq(changes.ranges->first, i);
        gb_track_commit(track);
    }
    gb_memory_close(&memory);
    gb_track_free(track);
    ck_assert_int_eq(munmap(at, sizeof(expected[0])), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("past/track");
    TCase *tests = tcase_create("track");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, each_moment_comes_back, 0, GB_MEMORY_WAYS);
    tcase_add_loop_test(tests, nothing_is_forgotten_by_a_failure, 0, GB_MEMORY_WAYS);
    tcase_add_test(tests, what_is_missed_is_noticed);
    tcase_add_test(tests, what_is_written_during_the_first_look_is_found);
    tcase_add_test(tests, who_cannot_be_followed_is_compared);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
