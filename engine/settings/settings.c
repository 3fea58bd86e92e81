/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "settings/internal.h"

/* The address of @option's value. */
static void *option_field(const struct gb_option *option, struct gb_settings *settings,
                          struct gb_settings_pool *pool)
{
    return (char *)(option->of_pool ? (void *)pool : (void *)settings) + option->offset;
}

const struct gb_option *option_find(const char *section, bool of_pool, struct gb_bytes key)
{
    for (size_t i = 0; i < gb_option_count; i++)
        if (gb_options[i].of_pool == of_pool && strcmp(gb_options[i].section, section) == 0 &&
            gb_bytes_equal(key, gb_options[i].key))
            return &gb_options[i];
    return NULL;
}

static void set_standards(struct gb_settings *settings, struct gb_settings_pool *pool)
{
    for (size_t i = 0; i < gb_option_count; i++) {
        const struct gb_option *option = &gb_options[i];
        int r;

        if (option->of_pool != (pool != NULL))
            continue;
        if (option->standard == NULL) {
            *(int64_t *)option_field(option, settings, pool) = -1;
            continue;
        }
        r = option_read(option, option_field(option, settings, pool),
                        gb_bytes_str(option->standard), NULL);
        assert(r == 0); /* the table's own default */
        (void)r;
    }
}

void gb_settings_init(struct gb_settings *settings)
{
    *settings = (struct gb_settings){0};
    set_standards(settings, NULL);
}

static bool is_text(const struct gb_option *option)
{
    return option->type == GB_OPTION_TEXT || option->type == GB_OPTION_PATH;
}

static void release_pools(struct gb_settings *settings)
{
    for (size_t i = 0; i < settings->pool_count; i++)
        free(settings->pools[i].name);
    free(settings->pools);
    settings->pools = NULL;
    settings->pool_count = 0;
}

static void release_texts(struct gb_settings_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        free(texts->list[i].name);
        free(texts->list[i].text);
    }
    free(texts->list);
    *texts = (struct gb_settings_texts){0};
}

static void release_list(struct gb_settings_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->pairs[i].key);
        free(list->pairs[i].value);
    }
    free(list->pairs);
    *list = (struct gb_settings_list){0};
}

void gb_settings_release(struct gb_settings *settings)
{
    for (size_t i = 0; i < gb_option_count; i++)
        if (!gb_options[i].of_pool && is_text(&gb_options[i]))
            free(*(char **)option_field(&gb_options[i], settings, NULL));
    release_pools(settings);
    release_texts(&settings->networks);
    release_texts(&settings->secrets);
    release_list(&settings->keys);
    release_list(&settings->hosts);
    free(settings->path);
    *settings = (struct gb_settings){0};
}

struct gb_settings_pool *gb_settings_pool(struct gb_settings *settings, const char *name)
{
    struct gb_settings_pool *pool;

    for (size_t i = 0; i < settings->pool_count; i++)
        if (strcmp(settings->pools[i].name, name) == 0)
            return &settings->pools[i];
    if (settings->pool_count >= GB_SETTINGS_POOLS_MAX)
        return NULL;
    if (settings->pools == NULL)
        settings->pools = xcalloc(GB_SETTINGS_POOLS_MAX, sizeof(*settings->pools));
    pool = &settings->pools[settings->pool_count++];
    pool->name = xstrdup(name);
    set_standards(settings, pool);
    return pool;
}

int gb_option_set(const struct gb_option *option, struct gb_settings *settings,
                  struct gb_settings_pool *pool, const char *where, struct gb_bytes value,
                  struct gb_err *err)
{
    struct gb_err problem = {0};

    if (option_read(option, option_field(option, settings, pool), value, &problem) == 0)
        return 0;
    return gb_err_set(err, problem.code, "%s: %s %s", where, option->key, problem.message);
}

/* ---- the file ---- */

/* $GLASSBELL_CONFIG, or the first that exists. Gives; NULL if there is none. */
static char *settings_find_file(void)
{
    const char *named = getenv("GLASSBELL_CONFIG"), *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    _cleanup_(freep) char *own = NULL;
    static const char system[] = "/etc/glassbell/glassbell.conf";

    if (named != NULL && named[0] != '\0')
        return xstrdup(named);
    if (config != NULL && config[0] == '/')
        own = xasprintf("%s/glassbell/glassbell.conf", config);
    else if (home != NULL && home[0] == '/')
        own = xasprintf("%s/.config/glassbell/glassbell.conf", home);
    if (own != NULL && access(own, F_OK) == 0)
        return TAKE_PTR(own);
    return access(system, F_OK) == 0 ? xstrdup(system) : NULL;
}

int gb_settings_load(const char *path, struct gb_settings *ret_settings, struct gb_err *err)
{
    _cleanup_(freep) char *file = path != NULL ? xstrdup(path) : settings_find_file();
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_settings settings;
    int r = 0;

    if (file != NULL)
        r = gb_fd_read_file(file, GB_SETTINGS_FILE_MAX, &text, err);
    if (r < 0)
        return gb_err_wrap(err, r, "the settings");
    gb_settings_init(&settings);
    if (file != NULL)
        r = gb_settings_parse(&settings, file, gb_buf_bytes(&text), err);
    if (r < 0) {
        gb_settings_release(&settings);
        return r;
    }
    settings.path = TAKE_PTR(file);
    *ret_settings = settings;
    return 0;
}

/* ---- changes ---- */

static bool same(const struct gb_option *option, const void *a, const void *b)
{
    switch (option->type) {
    case GB_OPTION_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case GB_OPTION_NUMBER:
        return *(const double *)a == *(const double *)b;
    case GB_OPTION_TEXT:
    case GB_OPTION_PATH:
        return strcmp(*(char *const *)a, *(char *const *)b) == 0;
    case GB_OPTION_INTEGER:
    case GB_OPTION_CHOICE:
    case GB_OPTION_DURATION:
    case GB_OPTION_SIZE:
    case GB_OPTION_TYPE_COUNT:
        break;
    }
    return memcmp(a, b, sizeof(uint64_t)) == 0;
}

static size_t size_of(const struct gb_option *option)
{
    return option->type == GB_OPTION_BOOL ? sizeof(bool) : sizeof(uint64_t);
}
static_assert(sizeof(char *) == sizeof(uint64_t) && sizeof(double) == sizeof(uint64_t),
              "all fields but bool are of one size");

static void swap(void *a, void *b, size_t size)
{
    char held[sizeof(uint64_t)];

    memcpy(held, a, size);
    memcpy(a, b, size);
    memcpy(b, held, size);
}

/* All options of a pool are reloadable. */
static bool same_pools(const struct gb_settings *a, const struct gb_settings *b)
{
    if (a->pool_count != b->pool_count)
        return false;
    for (size_t i = 0; i < a->pool_count; i++)
        if (strcmp(a->pools[i].name, b->pools[i].name) != 0 ||
            a->pools[i].floor != b->pools[i].floor || a->pools[i].ceiling != b->pools[i].ceiling ||
            a->pools[i].standing != b->pools[i].standing)
            return false;
    return true;
}

static bool same_list(const struct gb_settings_list *a, const struct gb_settings_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->pairs[i].key, b->pairs[i].key) != 0 ||
            strcmp(a->pairs[i].value, b->pairs[i].value) != 0)
            return false;
    return true;
}

static bool same_texts(const struct gb_settings_texts *a, const struct gb_settings_texts *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->list[i].name, b->list[i].name) != 0 ||
            strcmp(a->list[i].text, b->list[i].text) != 0)
            return false;
    return true;
}

static bool swap_texts(struct gb_settings_texts *live, struct gb_settings_texts *fresh)
{
    struct gb_settings_texts held = *live;

    if (same_texts(live, fresh))
        return false;
    *live = *fresh;
    *fresh = held;
    return true;
}

static bool swap_list(struct gb_settings_list *live, struct gb_settings_list *fresh)
{
    struct gb_settings_list held = *live;

    if (same_list(live, fresh))
        return false;
    *live = *fresh;
    *fresh = held;
    return true;
}

static void swap_lists(struct gb_settings *live, struct gb_settings *fresh,
                       void (*changed)(void *arg, const char *option, bool applied), void *arg)
{
    if (!same_pools(live, fresh)) {
        swap(&live->pools, &fresh->pools, sizeof(live->pools));
        swap(&live->pool_count, &fresh->pool_count, sizeof(live->pool_count));
        if (changed != NULL)
            changed(arg, "[pool \"…\"]", true);
    }
    if (swap_texts(&live->networks, &fresh->networks) && changed != NULL)
        changed(arg, "[network \"…\"]", true);
    if (swap_texts(&live->secrets, &fresh->secrets) && changed != NULL)
        changed(arg, "[secret \"…\"]", true);
    if (swap_list(&live->keys, &fresh->keys) && changed != NULL)
        changed(arg, "[keys]", true);
    if (swap_list(&live->hosts, &fresh->hosts) && changed != NULL)
        changed(arg, "[hosts]", true);
}

void gb_settings_reload(struct gb_settings *live, struct gb_settings *fresh,
                        void (*changed)(void *arg, const char *option, bool applied), void *arg)
{
    for (size_t i = 0; i < gb_option_count; i++) {
        const struct gb_option *option = &gb_options[i];
        _cleanup_(freep) char *name = NULL;
        void *old, *new;

        if (option->of_pool)
            continue;
        old = option_field(option, live, NULL);
        new = option_field(option, fresh, NULL);
        if (same(option, old, new))
            continue;
        if (option->reloadable)
            swap(old, new, size_of(option));
        name = xasprintf("[%s] %s", option->section, option->key);
        if (changed != NULL)
            changed(arg, name, option->reloadable);
    }
    swap_lists(live, fresh, changed, arg);
    swap(&live->path, &fresh->path, sizeof(live->path));
    gb_settings_release(fresh);
}
