/* SPDX-License-Identifier: Apache-2.0 */
#include "net/preset.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "net/name.h"
#include "net/policy.h"

enum { FILE_MAX = 64 * 1024, PORT_HTTP = 80, PORT_TLS = 443 };

/* ---- text ---- */

static bool preset_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '"' || byte == '\'';
}

static struct gb_bytes preset_trim(struct gb_bytes text)
{
    while (text.size > 0 && preset_is_space(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && preset_is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

/* The next word of a value, which may list several addresses. */
static struct gb_bytes preset_word(struct gb_bytes *text)
{
    struct gb_bytes word;

    *text = preset_trim(*text);
    word = (struct gb_bytes){text->data, 0};
    while (word.size < text->size && !preset_is_space(word.data[word.size]))
        word.size++;
    text->data += word.size;
    text->size -= word.size;
    return word;
}

/* Splits "key = value". */
static bool preset_split(struct gb_bytes line, struct gb_bytes *ret_key, struct gb_bytes *ret_value)
{
    const uint8_t *equals = line.size == 0 ? NULL : memchr(line.data, '=', line.size);
    size_t size;

    if (equals == NULL)
        return false;
    size = (size_t)(equals - line.data);
    *ret_key = preset_trim((struct gb_bytes){line.data, size});
    *ret_value = preset_trim((struct gb_bytes){equals + 1, line.size - size - 1});
    return true;
}

/* ---- addresses ---- */

/* What is found: rules, and the address of the index itself, which is that of the first file or
 * variable that has one. Either may be NULL. */
struct preset_found {
    struct gb_buf *rules, *index;
};

/* Words that a rule cannot have as names. */
static bool preset_is_word(const char *name)
{
    _cleanup_(gb_policy_release) struct gb_policy policy = {0};
    _cleanup_(gb_buf_release) struct gb_buf rule = {0};

    gb_buf_addf(&rule, "allow %s\n", name);
    return gb_policy_parse(&policy, gb_buf_bytes(&rule), NULL) < 0;
}

/* "https://user:word@host:8443/path" */
static bool preset_add_url(struct gb_bytes url, bool is_index, const struct preset_found *found)
{
    struct gb_bytes at = url, host;
    char name[GB_HOST_NAME_MAX + 1];
    bool tls = gb_bytes_skip(&at, "https://");
    uint64_t port = tls ? PORT_TLS : PORT_HTTP;
    const uint8_t *mark;

    if (!tls && !gb_bytes_skip(&at, "http://"))
        return false;
    mark = at.size == 0 ? NULL : memchr(at.data, '/', at.size);
    if (mark != NULL)
        at.size = (size_t)(mark - at.data);
    while ((mark = at.size == 0 ? NULL : memchr(at.data, '@', at.size)) != NULL) {
        at.size -= (size_t)(mark + 1 - at.data);
        at.data = mark + 1;
    }
    mark = at.size == 0 ? NULL : memchr(at.data, ':', at.size);
    host = (struct gb_bytes){at.data, mark == NULL ? at.size : (size_t)(mark - at.data)};
    if (mark != NULL) {
        at.size -= host.size + 1;
        at.data = mark + 1;
        if (!gb_bytes_number(&at, UINT16_MAX, &port) || port == 0 || at.size > 0)
            return false;
    }
    if (!gb_name_normalise(host, name) || preset_is_word(name))
        return false;
    if (is_index && found->index != NULL && found->index->size == 0)
        gb_buf_add(found->index, url.data, url.size);
    /* The owner of this host has named it, so it may be one of the site's. */
    if (found->rules != NULL)
        gb_buf_addf(found->rules, "allow %s :%u %s private\n", name, (unsigned)port,
                    tls ? "tls" : "http");
    return true;
}

static bool preset_add_urls(struct gb_bytes value, bool is_index, const struct preset_found *found)
{
    struct gb_bytes word;

    while ((word = preset_word(&value)).size > 0)
        if (!preset_add_url(word, is_index, found))
            return false;
    return true;
}

/* ---- files ---- */

static bool preset_is_index(struct gb_bytes key)
{
    return gb_bytes_equal(key, "index-url") || gb_bytes_equal(key, "index_url");
}

static bool preset_is_extra(struct gb_bytes key)
{
    return gb_bytes_equal(key, "extra-index-url") || gb_bytes_equal(key, "extra_index_url");
}

static bool preset_read_pip(struct gb_bytes file, const struct preset_found *found)
{
    bool here = false, goes_on = false, is_index = false;
    struct gb_bytes line;

    while (gb_bytes_line(&file, &line)) {
        const bool is_indented = line.size > 0 && preset_is_space(line.data[0]);
        struct gb_bytes text = preset_trim(line), key, value;

        if (text.size == 0 || text.data[0] == '#' || text.data[0] == ';')
            continue;
        if (is_indented && goes_on) { /* further addresses */
            if (!preset_add_urls(text, is_index, found))
                return false;
            continue;
        }
        goes_on = false;
        if (text.data[0] == '[')
            here = gb_bytes_equal(text, "[global]") || gb_bytes_equal(text, "[install]");
        else if (here && preset_split(text, &key, &value) &&
                 (preset_is_index(key) || preset_is_extra(key))) {
            goes_on = true;
            is_index = preset_is_index(key);
            if (!preset_add_urls(value, is_index, found))
                return false;
        }
    }
    return true;
}

static bool preset_is_registry(struct gb_bytes key)
{
    static const char ending[] = ":registry";
    const size_t size = sizeof(ending) - 1;

    return gb_bytes_equal(key, "registry") ||
           (key.size > size && key.data[0] == '@' &&
            memcmp(key.data + key.size - size, ending, size) == 0);
}

static bool preset_read_npm(struct gb_bytes file, const struct preset_found *found)
{
    struct gb_bytes line;

    while (gb_bytes_line(&file, &line)) {
        struct gb_bytes text = preset_trim(line), key, value;

        if (text.size == 0 || text.data[0] == '#' || text.data[0] == ';' ||
            !preset_split(text, &key, &value) || !preset_is_registry(key))
            continue;
        if (!preset_add_urls(value, gb_bytes_equal(key, "registry"), found))
            return false;
    }
    return true;
}

bool gb_preset_read_pip(struct gb_bytes file, struct gb_buf *rules)
{
    return preset_read_pip(file, &(struct preset_found){.rules = rules});
}

bool gb_preset_read_npm(struct gb_bytes file, struct gb_buf *rules)
{
    return preset_read_npm(file, &(struct preset_found){.rules = rules});
}

/* ---- this host ---- */

struct preset {
    const char *name, *program;
    const char *variables[3]; /* that hold addresses; the last one is NULL */
    size_t indexes;           /* how many of them are that of the index itself */
    const char *file_variable;
    const char *files[4]; /* likewise; "~/": of the user */
    bool (*read)(struct gb_bytes file, const struct preset_found *found);
};

static const struct preset presets[] = {
    {
        .name = "python",
        .program = "pip",
        .variables = {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"},
        .indexes = 1,
        .file_variable = "PIP_CONFIG_FILE",
        .files = {"~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/pip.conf"},
        .read = preset_read_pip,
    },
    {
        .name = "node",
        .program = "npm",
        .variables = {"NPM_CONFIG_REGISTRY", "npm_config_registry"},
        .indexes = 2,
        .file_variable = "NPM_CONFIG_USERCONFIG",
        .files = {"~/.npmrc", "/etc/npmrc"},
        .read = preset_read_npm,
    },
};

/* A file that is missing or cannot be read has no addresses. */
static bool preset_read_file(const struct preset *preset, const char *path,
                             const struct preset_found *found)
{
    const char *home = getenv("HOME");
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    _cleanup_(freep) char *below = NULL;

    if (path[0] == '~') {
        if (home == NULL || home[0] != '/')
            return true;
        below = xasprintf("%s%s", home, path + 1);
        path = below;
    }
    if (gb_fd_read_file(path, FILE_MAX, &text, NULL) < 0)
        return true;
    return preset->read(gb_buf_bytes(&text), found);
}

/* Variables come first, as they do for the programs themselves. */
static bool preset_find(const struct preset *preset, const struct preset_found *found)
{
    const char *value;
    bool good = true;

    for (size_t i = 0; good && preset->variables[i] != NULL; i++) {
        value = getenv(preset->variables[i]);
        good = value == NULL || preset_add_urls(gb_bytes_str(value), i < preset->indexes, found);
    }
    value = getenv(preset->file_variable);
    good = good && (value == NULL || preset_read_file(preset, value, found));
    for (size_t i = 0; good && preset->files[i] != NULL; i++)
        good = preset_read_file(preset, preset->files[i], found);
    return good;
}

static const struct preset *preset_named(struct gb_bytes name)
{
    for (size_t i = 0; i < ARRAY_SIZE(presets); i++)
        if (gb_bytes_equal(name, presets[i].name))
            return &presets[i];
    return NULL;
}

/* 0; fails if what is configured cannot be read. */
static int preset_look(const struct preset *preset, const struct preset_found *found,
                       struct gb_err *err)
{
    if (preset_find(preset, found))
        return 0;
    return gb_err_set(err, GB_EINVALID,
                      "an index in the configuration of %s on the server's host has no address of "
                      "the form https://HOST/…",
                      preset->program);
}

int gb_preset_rules(struct gb_bytes name, struct gb_buf *rules, struct gb_err *err)
{
    const struct preset *preset = preset_named(name);
    const size_t before = rules->size;
    int r;

    if (preset == NULL)
        return 0;
    r = preset_look(preset, &(struct preset_found){.rules = rules}, err);
    if (r < 0)
        return r;
    if (rules->size == before)
        return gb_err_set(err, GB_EINVALID,
                          "no index is configured for %s on the server's host; configure one, or "
                          "write the rules yourself in [network \"%s\"] of the settings",
                          preset->program, preset->name);
    return 1;
}

int gb_preset_index(struct gb_bytes name, struct gb_buf *index, struct gb_err *err)
{
    const struct preset *preset = preset_named(name);
    int r;

    if (preset == NULL)
        return gb_err_set(err, GB_EUNSUPPORTED, "no index is known for the network %.*s",
                          (int)MIN(name.size, (size_t)GB_HOST_NAME_MAX), (const char *)name.data);
    r = preset_look(preset, &(struct preset_found){.index = index}, err);
    if (r < 0)
        return r;
    if (index->size == 0)
        return gb_err_set(err, GB_EINVALID,
                          "no index is configured for %s on the server's host, and packages come "
                          "from there: configure one",
                          preset->program);
    if (memchr(gb_buf_data(index), '@', index->size) != NULL)
        return gb_err_set(err, GB_EUNSUPPORTED,
                          "the index that is configured for %s has a password in its address, "
                          "which must not reach the VM that fetches packages",
                          preset->program);
    return 0;
}
