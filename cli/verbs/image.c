/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell image: lists images, runs their builder, and builds templates in advance. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cli/app.h"
#include "cli/params.h"
#include "cli/print.h"
#include "model/capacity.h"
#include "platform/program.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/words.h"
#include "verbs/options.h"
#include "verbs/verbs.h"
#include "vm/find.h"
#include "vm/image.h"

#ifndef GB_LIBEXECDIR
#define GB_LIBEXECDIR "/usr/local/libexec"
#endif

/* Enough for a boot under emulation on a busy machine. */
enum { WARM_DEADLINE_MS = 300000 };

static void image_print_names(const struct gb_images *images)
{
    for (size_t i = 0; i < images->count; i++)
        (void)printf("%s\n", images->images[i].name);
}

static void image_print_languages(const struct gb_images *images)
{
    for (size_t i = 0; i < images->languages.count; i++)
        (void)printf("%s\n", images->languages.list[i]->name);
}

static void image_print_table(const struct gb_images *images)
{
    (void)printf("%-14s %-12s %9s %7s  %-14s %s\n", "IMAGE", "LANGUAGE", "SIZE", "MEMORY", "SHA256",
                 "PACKAGES");
    for (size_t i = 0; i < images->count; i++) {
        const struct gb_image *image = &images->images[i];
        char size[32];

        words_size(size, sizeof(size), (double)image->size);
        (void)printf("%-14s %-12s %9s %5u M  %-14.12s %zu\n", image->name, image->language, size,
                     (unsigned)image->memory_mb, image->sha256, image->package_count);
    }
}

static void image_print_json(const struct gb_images *images)
{
    struct gb_buf text = {0};
    struct gb_json_out out = {.buf = &text};

    gb_json_array(&out, NULL);
    for (size_t i = 0; i < images->count; i++) {
        const struct gb_image *image = &images->images[i];

        gb_json_object(&out, NULL);
        gb_json_put_str(&out, "name", image->name);
        gb_json_put_str(&out, "language", image->language);
        gb_json_put_str(&out, "path", image->path);
        gb_json_put_str(&out, "sha256", image->sha256);
        gb_json_put_u64(&out, "size", image->size);
        gb_json_put_u64(&out, "memory_mb", image->memory_mb);
        gb_json_array(&out, "packages");
        for (size_t p = 0; p < image->package_count; p++) {
            gb_json_object(&out, NULL);
            gb_json_put_str(&out, "name", image->packages[p].name);
            gb_json_put_str(&out, "version", image->packages[p].version);
            gb_json_end(&out);
        }
        gb_json_end(&out);
        gb_json_end(&out);
    }
    gb_json_end(&out);
    json_make_visible(&text, 0); /* a path may contain anything */
    gb_buf_adds(&text, "\n");
    (void)gb_fd_write_full(STDOUT_FILENO, gb_buf_data(&text), text.size);
    gb_buf_release(&text);
}

static int image_list_images(const struct args *args)
{
    _cleanup_(freep) char *folder = NULL;
    const struct gb_machine *machine;
    struct gb_images *images = NULL;
    struct gb_err err = {0};
    int r = find_machine(&machine, &err);

    if (r == 0)
        r = find_images(machine, args_value(args, "images"), &folder, &err);
    if (r == 0)
        r = gb_images_load(folder, &images, &err);
    if (r < 0 || images == NULL) {
        app_say_err(&err);
        return EXIT_GLASSBELL;
    }
    if (args_has(args, "names"))
        image_print_names(images);
    else if (args_has(args, "languages"))
        image_print_languages(images);
    else if (args_has(args, "json"))
        image_print_json(images);
    else
        image_print_table(images);
    gb_images_free(images);
    return 0;
}

/* The first existing one. Gives, or NULL. Takes all. */
static char *image_first_existing(char *paths[3])
{
    char *found = NULL;

    for (size_t i = 0; i < 3; i++) {
        if (found == NULL && paths[i] != NULL && access(paths[i], R_OK) == 0)
            found = TAKE_PTR(paths[i]);
        free(paths[i]);
    }
    return found;
}

/* A part of the builder: installed, or in the build tree that the program runs from. */
static char *image_find_part(const char *folder, const char *installed, const char *built)
{
    char *paths[3] = {
        folder != NULL ? xasprintf("%s/../libexec/glassbell/%s", folder, installed) : NULL,
        xasprintf("%s/glassbell/%s", GB_LIBEXECDIR, installed),
        folder != NULL ? xasprintf("%s/%s", folder, built) : NULL,
    };

    return image_first_existing(paths);
}

/* What the builder works with. The strings are on the heap. */
struct builder {
    const struct gb_machine *machine; /* of the guests */
    char *program, *agent, *workers;  /* NULL: not installed */
};

/* The guest's part for another architecture lies beside that for the native one. */
static void image_find_builder(struct builder *builder)
{
    _cleanup_(freep) char *program = gb_program_again();
    char *slash = program != NULL ? strrchr(program, '/') : NULL;
    _cleanup_(freep) char *folder =
        slash != NULL ? xstrndup(program, (size_t)(slash - program)) : NULL;
    _cleanup_(freep) char *guest = builder->machine == gb_machine_native()
                                       ? xstrdup("guest")
                                       : xasprintf("guest-%s", builder->machine->debian);
    _cleanup_(freep) char *agent = xasprintf("%s/glassbell-agent", guest);
    _cleanup_(freep) char *agent_built = xasprintf("../../%s/agent/glassbell-agent", guest);
    _cleanup_(freep) char *workers = xasprintf("%s/worker", guest);
    _cleanup_(freep) char *workers_built = xasprintf("../../%s/worker", guest);

    builder->program = image_find_part(folder, "images/build", "../../../images/build");
    builder->agent = image_find_part(folder, agent, agent_built);
    builder->workers = image_find_part(folder, workers, workers_built);
}

static void image_run_builder(const struct builder *builder, const struct args *args)
{
    const char *output = args_value(args, "images");
    const char **argv = xcalloc(args->word_count + 11, sizeof(*argv));
    size_t count = 0;

    argv[count++] = builder->program;
    argv[count++] = "--agent";
    argv[count++] = builder->agent;
    argv[count++] = "--workers";
    argv[count++] = builder->workers;
    argv[count++] = "--architecture";
    argv[count++] = builder->machine->debian;
    if (output != NULL) {
        argv[count++] = "--output";
        argv[count++] = output;
    }
    for (size_t i = 1; i < args->word_count; i++)
        argv[count++] = args->words[i];
    (void)execv(builder->program, (char **)(uintptr_t)argv); /* its output and status become ours */
    app_say("cannot start %s: %s", builder->program, strerror(errno));
    free(argv);
}

static int image_build_images(const struct args *args)
{
    struct builder builder = {0};
    struct gb_err err = {0};

    if (find_machine(&builder.machine, &err) < 0) {
        app_say_err(&err);
        return EXIT_GLASSBELL;
    }
    image_find_builder(&builder);
    if (builder.program == NULL)
        app_say("the builder of images is not installed; in a source tree `./dev images` does the "
                "work");
    else if (builder.agent == NULL || builder.workers == NULL)
        app_say("the guest's part of Glassbell for %s is not installed; in a source tree `./dev "
                "images` does the work",
                builder.machine->architecture);
    else
        image_run_builder(&builder, args);
    free(builder.program);
    free(builder.agent);
    free(builder.workers);
    return EXIT_GLASSBELL;
}

struct warmed {
    const struct args *args;
    const char *image; /* NULL: the server's default */
    uint64_t started_ns;
};

static void image_print_warmed(void *arg, const struct gb_json *result)
{
    const struct warmed *warmed = arg;
    struct gb_warm_info told;
    char size[32];

    if (args_has(warmed->args, "json")) {
        print_json(result);
        return;
    }
    gb_object_take(&gb_warm_object, result, &told);
    words_size(size, sizeof(size), (double)told.bytes);
    (void)printf("%.*s, %" PRIu32 " MiB: %s, ready after %.1f s\n", (int)told.image.size,
                 (const char *)told.image.data, told.memory_mb, size,
                 gb_ns_to_ms(gb_clock_mono_ns() - warmed->started_ns) / 1000);
}

static bool image_warm_image(struct app *app, const struct args *args, const char *image)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    struct warmed warmed = {args, image, gb_clock_mono_ns()};
    bool good;

    gb_json_object(&out, NULL);
    if (image != NULL)
        gb_json_put_str(&out, "image", image);
    good = params_put_memory(args, &out);
    gb_json_end(&out);
    good =
        good && app_call(app, "image.warm", &params, WARM_DEADLINE_MS, image_print_warmed, &warmed);
    gb_buf_release(&params);
    return good;
}

static int image_warm_images(const struct args *args)
{
    struct app app;
    bool good = true;

    app_open(&app, args);
    if (args->word_count == 1)
        good = image_warm_image(&app, args, NULL);
    for (size_t i = 1; i < args->word_count; i++)
        good = image_warm_image(&app, args, args->words[i]) && good;
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static int image_run(const struct args *args)
{
    if (args->word_count == 0 || (strcmp(args->words[0], "ls") == 0 && args->word_count == 1))
        return image_list_images(args);
    if (strcmp(args->words[0], "build") == 0)
        return image_build_images(args);
    if (strcmp(args->words[0], "warm") == 0)
        return image_warm_images(args);
    return app_wrong_use(args, "image can `ls`, `build` and `warm`, not %s", args->words[0]);
}

static const struct option image_options[] = {
    {.name = "images",
     .value = "FOLDER",
     .kind = ARG_FILE,
     .help = "folder of the images (default: $GLASSBELL_IMAGES)"},
    OPTION_JSON,
    {.name = "names", .kind = ARG_NONE, .help = "only the names, one per line (ls)"},
    {.name = "languages",
     .kind = ARG_NONE,
     .help = "only the names of the languages, one per "
             "line (ls)"},
    {.letter = 'm',
     .name = "memory",
     .value = "MB",
     .kind = ARG_TEXT,
     .help = "memory of the VMs in MiB (warm)"},
    {0},
};

const struct verb verb_image = {
    .name = "image",
    .summary = "list, build or warm images",
    .usage = "(ls | build [NAME…] | warm [NAME…])",
    .options = image_options,
    .common = app_options,
    .words = ARG_IMAGE,
    .examples = "  glassbell image ls\n"
                "  glassbell image build python\n"
                "  glassbell image warm python javascript\n",
    .run = image_run,
};
