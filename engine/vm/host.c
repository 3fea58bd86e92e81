#include "vm/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "vm/find.h"
#include "vm/private.h"

const char *gb_accel_name(enum gb_accel accel)
{
    static const char *const names[] = {"unknown", "kvm", "tcg"};

    static_assert(ARRAY_SIZE(names) == GB_ACCEL_COUNT, "every accelerator has a name");
    return accel < GB_ACCEL_COUNT ? names[accel] : "unknown";
}

struct opening {
    struct gb_host *host;
    struct gb_deferred end;
    struct gb_err err;
    bool failed;
    void (*done)(void *arg, struct gb_host *host, const struct gb_err *err);
    void *arg;
};

static void on_end(void *arg)
{
    struct opening *opening = arg;
    struct gb_host *host = opening->host;

    if (opening->failed) {
        gb_host_free(host);
        opening->done(opening->arg, NULL, &opening->err);
    } else {
        opening->done(opening->arg, host, NULL);
    }
    free(opening);
}

static int find_all(struct gb_host *host, const struct gb_host_config *config, struct gb_err *err)
{
    _cleanup_(freep) char *images = NULL;
    int r;

    r = find_images(config->images, &images, err);
    if (r == 0)
        r = gb_images_load(images, &host->images, err);
    if (r == 0)
        r = find_qemu(config->qemu, &host->qemu, err);
    if (r == 0)
        r = find_firmware(host->qemu, &host->firmware, err);
    if (r == 0)
        r = find_launcher(config->launcher, &host->launcher, err);
    if (r == 0)
        r = gb_fd_make_dirs(config->run, 0700, err);
    if (r == 0)
        r = gb_fd_make_dirs(config->cache, 0700, err);
    return r;
}

void gb_host_open(struct gb_loop *loop, const struct gb_host_config *config,
                  void (*done)(void *arg, struct gb_host *host, const struct gb_err *err),
                  void *arg)
{
    struct opening *opening = xcalloc(1, sizeof(*opening));
    struct gb_host *host = xcalloc(1, sizeof(*host));
    unsigned killed = 0;

    opening->host = host;
    opening->done = done;
    opening->arg = arg;
    host->loop = loop;
    host->run = xstrdup(config->run);
    host->cache = xstrdup(config->cache);
    host->accel = GB_ACCEL_TCG;
    host->qemu_sandbox = true;
    host->require_isolation = config->require_isolation;
    gb_list_init(&host->vms);
    opening->failed = find_all(host, config, &opening->err) < 0 ||
                      registry_reap(host->run, &killed, &opening->err) < 0;
    if (killed > 0)
        gb_info("%u processes of a server that is gone were ended", killed);
    gb_loop_defer(loop, &opening->end, on_end, opening);
}

void gb_host_free(struct gb_host *host)
{
    if (host == NULL)
        return;
    gb_images_free(host->images);
    free(host->run);
    free(host->cache);
    free(host->qemu);
    free(host->qemu_version);
    free(host->firmware);
    free(host->launcher);
    free(host->accel_reason);
    free(host);
}
