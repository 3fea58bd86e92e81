/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of sessions that could not be taken up. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "past/mark.h"
#include "server/checkpoint/checkpoint.h"
#include "server/checkpoint/state.h"
#include "server/core/request.h"
#include "server/core/server.h"
#include "server/core/state.h"

#include "check_run.h"

#define ID "s-00000000000000000000"

static uv_loop_t uv;
static struct gb_loop *loop;
static struct gb_server *server;
static char folder[64];
static struct gb_err err;

static void put(const char *ending, const char *text)
{
    _cleanup_(freep) char *path = xasprintf("%s/" ID "%s", folder, ending);

    ck_assert_int_eq(gb_fd_replace_file(path, gb_bytes_str(text), 0600, &err), 0);
}

/* Whether another server could have the folder now. */
static bool is_free(void)
{
    _cleanup_(freep) char *path = xasprintf("%s/lock", folder);
    _cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    ck_assert_int_eq(errno, EWOULDBLOCK);
    return false;
}

static size_t count_files(void)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    size_t count = 0;

    while ((entry = readdir(entries)) != NULL)
        count += entry->d_name[0] == 's';
    (void)closedir(entries);
    return count;
}

static void begin(void)
{
    static const struct gb_part *const parts[] = {&checkpoint_part, NULL};
    static struct gb_images images;
    static struct gb_host host = {.images = &images};
    struct gb_server_config config = {.parts = parts, .socket = "/nonexistent/socket"};

    (void)snprintf(folder, sizeof(folder), "/tmp/restoreXXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    put("", "a chain");
    put(".note", "a note that cannot be read");
    (void)uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    host.loop = loop;
    gb_list_init(&host.vms);
    config.past = folder;
    server = gb_server_new(loop, &host, &config);
    ck_assert_int_eq(gb_server_start(server, &err), 0);
    while (gb_list_empty(&checkpoint_of_server(server)->missing))
        (void)uv_run(&uv, UV_RUN_ONCE);
}

static void end(void)
{
    _cleanup_(freep) char *lock = xasprintf("%s/lock", folder);

    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
    ck_assert_int_eq(unlink(lock), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* Another server could take it up, half removed. */
START_TEST(the_folder_is_locked_until_all_is_removed)
{
    struct request request = {0};

    ck_assert_uint_eq(count_files(), 2);
    ck_assert(!is_free());
    ck_assert(!restore_close(server, &request, gb_bytes_str("s-1")));
    ck_assert(restore_close(server, &request, gb_bytes_str(ID)));
    request.abandon(&request);
    gb_server_free(server);
    ck_assert(!is_free()); /* nobody has heard of the thread's end, which has perhaps come */
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_uint_eq(count_files(), 0);
    ck_assert(is_free());
}
END_TEST

START_TEST(what_nobody_removes_stays)
{
    _cleanup_(freep) char *chain = xasprintf("%s/" ID, folder);

    gb_server_free(server);
    ck_assert(is_free());
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_uint_eq(count_files(), 2);
    gb_past_remove(chain);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("restore");
    TCase *tests = tcase_create("restore");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, the_folder_is_locked_until_all_is_removed);
    tcase_add_test(tests, what_nobody_removes_stays);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
