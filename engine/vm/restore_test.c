/* SPDX-License-Identifier: Apache-2.0 */
/* Saving and restoring real VMs. */
#include "vm/testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm/operation.h"

/* Every descriptor of process @pid for a file that ends in @name has been opened for reading only.
 */
static int count_read_only(pid_t pid, const char *name)
{
    char *path = xasprintf("/proc/%d/fd", pid);
    DIR *descriptors = opendir(path);
    struct dirent *entry;
    int count = 0;

    ck_assert_ptr_nonnull(descriptors);
    while ((entry = readdir(descriptors)) != NULL) {
        char *link = xasprintf("/proc/%d/fd/%s", pid, entry->d_name);
        char *info = xasprintf("/proc/%d/fdinfo/%s", pid, entry->d_name);
        char target[4096];
        ssize_t n = readlink(link, target, sizeof(target) - 1);

        target[n > 0 ? n : 0] = '\0';
        if (strlen(target) > strlen(name) &&
            strcmp(target + strlen(target) - strlen(name), name) == 0) {
            struct gb_buf text = {0};
            unsigned flags = 0;

            ck_assert_int_eq(gb_fd_read_file(info, 4096, &text, NULL), 0);
            ck_assert_int_eq(sscanf(strstr(gb_buf_str(&text), "flags:"), "flags: %o", &flags), 1);
            ck_assert_uint_eq(flags & O_ACCMODE, O_RDONLY);
            gb_buf_release(&text);
            count++;
        }
        free(link);
        free(info);
    }
    closedir(descriptors);
    free(path);
    return count;
}

START_TEST(clones_a_template)
{
    struct gb_vm_config config = default_config();
    char *ram = xasprintf("%s/template.ram", folder);
    char *state = xasprintf("%s/template.state", folder);
    struct guest guest, clones[2];
    struct gb_vm_sample sample;
    struct stat before, after;

    config.ram = GB_RAM_SHARED_FILE;
    config.ram_path = ram;
    start(&guest, &config);
    wait_for(&guest.running, 1);
    ping(&guest, 1);
    gb_vm_stop(guest.vm, on_done, &guest);
    ck_assert_int_eq(guest.done, 0);
    wait_for(&guest.done, 1);
    ck_assert_msg(guest.done_error.code == GB_OK, "%s", guest.done_error.message);
    gb_vm_save(guest.vm, state, on_done, &guest);
    wait_for(&guest.done, 2);
    ck_assert_msg(guest.done_error.code == GB_OK, "%s", guest.done_error.message);
    /* The source goes on. */
    gb_vm_cont(guest.vm, on_done, &guest);
    wait_for(&guest.done, 3);
    ck_assert_msg(guest.done_error.code == GB_OK, "%s", guest.done_error.message);
    gb_vm_stop(guest.vm, on_done, &guest);
    wait_for(&guest.done, 4);
    gb_vm_save(guest.vm, state, on_done, &guest);
    wait_for(&guest.done, 5);
    ck_assert_msg(guest.done_error.code == GB_OK, "%s", guest.done_error.message);
    end(&guest);
    ck_assert_int_eq(stat(state, &before), 0);
    ck_assert_int_gt(before.st_size, 1000);
    ck_assert_int_eq(stat(ram, &before), 0);

    config.ram = GB_RAM_PRIVATE_FILE;
    config.incoming = true;
    for (size_t i = 0; i < ARRAY_SIZE(clones); i++) {
        uint64_t began = gb_loop_now_ns(), loaded;

        start(&clones[i], &config);
        gb_vm_load(clones[i].vm, state, on_done, &clones[i]);
        wait_for(&clones[i].done, 1);
        ck_assert_msg(clones[i].done_error.code == GB_OK, "%s", clones[i].done_error.message);
        loaded = gb_loop_now_ns();
        ping(&clones[i], 20 + (uint32_t)i);
        ping(&clones[i], 40 + (uint32_t)i);
        ck_assert_int_eq(gb_vm_sample(clones[i].vm, &sample, NULL), 0);
        printf("clone: %.1f ms to load, %.1f ms to the first answers, %ju MB\n",
               gb_ns_to_ms(loaded - began), gb_ns_to_ms(gb_loop_now_ns() - began),
               (uintmax_t)sample.pss_bytes >> 20);
        if ((gb_vm_guard_stages(clones[i].vm) & GB_GUARD_SECCOMP) != 0)
            ck_assert_int_ge(count_read_only(gb_vm_pid(clones[i].vm), "template.ram"), 1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(clones); i++)
        end(&clones[i]);
    ck_assert_int_eq(stat(ram, &after), 0);
    ck_assert_int_eq(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    free(ram);
    free(state);
}
END_TEST

static void operate(struct guest *guest,
                    void (*operation)(struct gb_vm *vm, gb_vm_done_fn *done, void *arg))
{
    int before = guest->done;

    operation(guest->vm, on_done, guest);
    wait_for(&guest->done, before + 1);
    ck_assert_msg(guest->done_error.code == GB_OK, "%s", guest->done_error.message);
}

static void save(struct guest *guest, const char *path)
{
    int before = guest->done;

    gb_vm_save(guest->vm, path, on_done, guest);
    wait_for(&guest->done, before + 1);
    ck_assert_msg(guest->done_error.code == GB_OK, "%s", guest->done_error.message);
}

/* How many descriptors QEMU has; none is of a file whose name ends in ".state". */
static int count_descriptors(const struct guest *guest)
{
    char *path = xasprintf("/proc/%d/fd", gb_vm_pid(guest->vm));
    DIR *descriptors = opendir(path);
    struct dirent *entry;
    int count = 0;

    ck_assert_ptr_nonnull(descriptors);
    while ((entry = readdir(descriptors)) != NULL) {
        char *link = xasprintf("%s/%s", path, entry->d_name);
        char target[4096] = "";

        (void)!readlink(link, target, sizeof(target) - 1);
        ck_assert_msg(strstr(target, ".state") == NULL, "QEMU holds %s", target);
        count++;
        free(link);
    }
    closedir(descriptors);
    free(path);
    return count;
}

static void load(struct guest *clone, const struct gb_vm_config *config, const char *state)
{
    start(clone, config);
    gb_vm_load(clone->vm, state, on_done, clone);
    wait_for(&clone->done, 1);
    ck_assert_msg(clone->done_error.code == GB_OK, "%s", clone->done_error.message);
}

/* However often it is saved, standing still or having run in between, QEMU has one descriptor for
 * it, and none of the files; and each of the saves can be restored. */
START_TEST(saves_as_often_as_one_likes)
{
    enum { SAVES = 6 };
    struct gb_vm_config config = default_config();
    char *ram = xasprintf("%s/often.ram", folder);
    struct guest guest, clone;
    struct stat first, later;
    char *state[SAVES];
    int before = 0, after_load = 0;

    config.ram = GB_RAM_SHARED_FILE;
    config.ram_path = ram;
    start(&guest, &config);
    wait_for(&guest.running, 1);
    ping(&guest, 1);
    operate(&guest, gb_vm_stop);
    for (int i = 0; i < SAVES; i++) {
        state[i] = xasprintf("%s/often-%d.state", folder, i);
        if (i >= SAVES / 2) {
            operate(&guest, gb_vm_cont);
            ping(&guest, 10 + (uint32_t)i);
            operate(&guest, gb_vm_stop);
        }
        save(&guest, state[i]);
        if (i == 0)
            before = count_descriptors(&guest);
        ck_assert_int_eq(count_descriptors(&guest), before);
    }
    /* A shorter state in the place of a longer file, and the same where nothing has happened. */
    ck_assert_int_eq(truncate(state[0], 1 << 20), 0);
    save(&guest, state[0]);
    ck_assert_int_eq(stat(state[0], &first), 0);
    save(&guest, state[1]);
    ck_assert_int_eq(stat(state[1], &later), 0);
    ck_assert_int_gt(first.st_size, 1000);
    ck_assert_int_lt(first.st_size, 1 << 20);
    ck_assert_int_eq(first.st_size, later.st_size);
    end(&guest);

    config.ram = GB_RAM_PRIVATE_FILE;
    config.incoming = true;
    for (int i = 0; i < 2; i++) {
        load(&clone, &config, state[i]);
        ping(&clone, 20);
        /* One that has a complaint ends it with a line: QEMU 9.1 and later complain of files. */
        ck_assert_msg(clone.vm->errors_tail.size == 0, "QEMU said: %s",
                      gb_buf_str(&clone.vm->errors_tail));
        if (i == 0)
            after_load = count_descriptors(&clone);
        ck_assert_int_eq(count_descriptors(&clone), after_load);
        end(&clone);
    }
    for (int i = 0; i < SAVES; i++)
        free(state[i]);
    free(ram);
}
END_TEST

START_TEST(tells_when_it_cannot_save)
{
    struct gb_vm_config config = default_config();
    char *state = xasprintf("%s/again.state", folder);
    char *ram = xasprintf("%s/again.ram", folder);
    struct guest guest;

    config.ram = GB_RAM_SHARED_FILE;
    config.ram_path = ram;
    start(&guest, &config);
    wait_for(&guest.running, 1);
    operate(&guest, gb_vm_stop);
    gb_vm_save(guest.vm, "/dev/full", on_done, &guest);
    wait_for(&guest.done, 2);
    ck_assert_int_ne(guest.done_error.code, GB_OK);
    ck_assert_ptr_nonnull(strstr(guest.done_error.message, "No space left"));
    gb_vm_save(guest.vm, "/nonexistent/x", on_done, &guest);
    wait_for(&guest.done, 3);
    ck_assert_int_eq(guest.done_error.code, GB_ENOTFOUND);
    /* And nothing of that stands in its way. */
    save(&guest, state);
    end(&guest);
    config.ram = GB_RAM_PRIVATE_FILE;
    config.incoming = true;
    load(&guest, &config, state);
    ping(&guest, 3);
    end(&guest);
    free(state);
    free(ram);
}
END_TEST

/* Waits for device state; a file with nonsense in its place is made. Free both paths. */
static struct gb_vm_config broken_template(char **ret_ram, char **ret_state)
{
    struct gb_vm_config config = default_config();
    int fd;

    *ret_ram = xasprintf("%s/broken.ram", folder);
    *ret_state = xasprintf("%s/broken.state", folder);
    fd = open(*ret_ram, O_RDWR | O_CREAT, 0600);
    ck_assert_int_eq(ftruncate(fd, (off_t)MEMORY_MB << 20), 0);
    close(fd);
    ck_assert_int_eq(gb_fd_replace_file(*ret_state, gb_bytes_str("nonsense"), 0600, NULL), 0);
    config.ram = GB_RAM_PRIVATE_FILE;
    config.ram_path = *ret_ram;
    config.incoming = true;
    return config;
}

START_TEST(refuses_a_broken_state)
{
    char *ram, *state;
    struct gb_vm_config config = broken_template(&ram, &state);
    struct guest guest;

    start(&guest, &config);
    gb_vm_load(guest.vm, state, on_done, &guest);
    wait_for(&guest.done, 1);
    ck_assert_int_ne(guest.done_error.code, GB_OK);
    end(&guest);

    /* A file that is not there, told from the loop. */
    start(&guest, &config);
    gb_vm_load(guest.vm, "/nonexistent/state", on_done, &guest);
    ck_assert_int_eq(guest.done, 0);
    wait_for(&guest.done, 1);
    ck_assert_int_eq(guest.done_error.code, GB_ENOTFOUND);
    end(&guest);
    free(ram);
    free(state);
}
END_TEST

/* Its monitor never comes up: who waits for it is told. */
START_TEST(gives_a_frozen_one_up)
{
    char *ram, *state;
    struct gb_vm_config config = broken_template(&ram, &state);
    struct guest guest;

    start(&guest, &config);
    while (gb_vm_pid(guest.vm) == 0)
        uv_run(&uv, UV_RUN_ONCE);
    ck_assert_int_eq(kill(gb_vm_pid(guest.vm), SIGSTOP), 0);
    gb_vm_load(guest.vm, state, on_done, &guest);
    wait_for(&guest.done, 1);
    ck_assert_int_eq(guest.done_error.code, GB_EBOOT);
    finish(&guest);
    free(ram);
    free(state);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("restore");
    TCase *tests = tcase_create("restore");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 110);
    tcase_add_test(tests, clones_a_template);
    tcase_add_test(tests, saves_as_often_as_one_likes);
    tcase_add_test(tests, tells_when_it_cannot_save);
    tcase_add_test(tests, refuses_a_broken_state);
    tcase_add_test(tests, gives_a_frozen_one_up);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
