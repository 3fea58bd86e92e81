/* SPDX-License-Identifier: Apache-2.0 */
#include "net/preset.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "net/name.h"
#include "net/policy.h"

enum { FILE_MAX = 64 * 1024, PORT_HTTP = 80, PORT_TLS = 443, FILE_HOSTS_MAX = 8 };

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

/* What an address is of. */
enum preset_kind {
    PRESET_INDEX,   /* the index, as configured */
    PRESET_EXTRA,   /* another one, likewise */
    PRESET_DEFAULT, /* the index that the program uses unless told otherwise */
    PRESET_FILES,   /* what the index says has the files */
};

/* What is found: rules, and the address of the index itself, which is that of the first file or
 * variable that has one. Either may be NULL. */
struct preset_found {
    struct gb_buf *rules, *index;
    struct gb_bytes places; /* as in struct gb_preset_known */
    struct gb_buf sites;    /* lines "ADDRESS PORT": where indexes are that are not public */
    size_t files;           /* hosts that the index has named */
};

/* Words that a rule cannot have as names. */
static bool preset_is_word(const char *name)
{
    _cleanup_(gb_policy_release) struct gb_policy policy = {0};
    _cleanup_(gb_buf_release) struct gb_buf rule = {0};

    gb_buf_addf(&rule, "allow %s\n", name);
    return gb_policy_parse(&policy, gb_buf_bytes(&rule), NULL) < 0;
}

/* The parts of an address that a rule has. */
struct preset_url {
    char name[GB_HOST_NAME_MAX + 1];
    unsigned port;
    bool tls;
};

/* "https://user:word@host:8443/path" */
static bool preset_parse_url(struct gb_bytes at, struct preset_url *ret_url)
{
    struct gb_bytes host;
    const bool tls = gb_bytes_skip(&at, "https://");
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
    ret_url->port = (unsigned)port;
    ret_url->tls = tls;
    return gb_name_normalise(host, ret_url->name) && !preset_is_word(ret_url->name);
}

/* Whether there is a rule that begins like this. */
static bool preset_has_rule(const struct gb_buf *rules, const char *beginning)
{
    struct gb_bytes text = gb_buf_bytes(rules), line;

    while (gb_bytes_line(&text, &line))
        if (gb_bytes_skip(&line, beginning) && (line.size == 0 || line.data[0] == ' '))
            return true;
    return false;
}

/* The addresses of a host that has no public one, each after a space. */
static struct gb_bytes preset_addresses(const struct preset_found *found, const char *name)
{
    struct gb_bytes text = found->places, line;

    while (gb_bytes_line(&text, &line))
        if (gb_bytes_skip(&line, name) && line.size > 0 && line.data[0] == ' ')
            return line;
    return (struct gb_bytes){0};
}

/* Whether an index is at each of these addresses, at that port. */
static bool preset_has_sites(const struct preset_found *found, struct gb_bytes addresses,
                             unsigned port)
{
    struct gb_bytes address;

    while ((address = preset_word(&addresses)).size > 0) {
        _cleanup_(gb_buf_release) struct gb_buf site = {0};

        gb_buf_addf(&site, "%.*s %u", (int)address.size, (const char *)address.data, port);
        if (!preset_has_rule(&found->sites, gb_buf_str(&site)))
            return false;
    }
    return true;
}

static void preset_pin(const struct preset_url *url, struct gb_bytes addresses,
                       struct preset_found *found)
{
    _cleanup_(gb_buf_release) struct gb_buf line = {0};
    struct gb_bytes rest = addresses, address;

    while ((address = preset_word(&rest)).size > 0)
        gb_buf_addf(&found->sites, "%.*s %u\n", (int)address.size, (const char *)address.data,
                    url->port);
    gb_buf_addf(&line, "resolve %s", url->name);
    if (!preset_has_rule(found->rules, gb_buf_str(&line)))
        gb_buf_addf(found->rules, "%s%.*s\n", gb_buf_str(&line), (int)addresses.size,
                    (const char *)addresses.data);
}

/* This host's own package manager uses the indexes, so they may be at an address that is not
 * public: at this one, whatever DNS says later. What an index says about others opens no way to
 * addresses and ports beside its own. */
static void preset_add_rule(const struct preset_url *url, enum preset_kind kind,
                            struct preset_found *found)
{
    const struct gb_bytes addresses = preset_addresses(found, url->name);
    const bool is_private = addresses.size > 0 &&
                            (kind != PRESET_FILES || preset_has_sites(found, addresses, url->port));
    _cleanup_(gb_buf_release) struct gb_buf rule = {0};

    gb_buf_addf(&rule, "allow %s :%u %s", url->name, url->port, url->tls ? "tls" : "http");
    if (preset_has_rule(found->rules, gb_buf_str(&rule)))
        return;
    if (kind == PRESET_FILES && ++found->files > FILE_HOSTS_MAX)
        return;
    gb_buf_addf(found->rules, "%s%s\n", gb_buf_str(&rule), is_private ? " private" : "");
    if (is_private)
        preset_pin(url, addresses, found);
}

static bool preset_add_url(struct gb_bytes url, enum preset_kind kind, struct preset_found *found)
{
    const bool is_index = kind == PRESET_INDEX || kind == PRESET_DEFAULT;
    struct preset_url parts;

    if (!preset_parse_url(url, &parts))
        return false;
    if (is_index && found->index != NULL && found->index->size == 0)
        gb_buf_add(found->index, url.data, url.size);
    if (found->rules != NULL)
        preset_add_rule(&parts, kind, found);
    return true;
}

static bool preset_add_urls(struct gb_bytes value, bool is_index, struct preset_found *found)
{
    const enum preset_kind kind = is_index ? PRESET_INDEX : PRESET_EXTRA;
    struct gb_bytes word;

    while ((word = preset_word(&value)).size > 0)
        if (!preset_add_url(word, kind, found))
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

static bool preset_read_pip(struct gb_bytes file, struct preset_found *found)
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

static bool preset_read_npm(struct gb_bytes file, struct preset_found *found)
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

/* ---- what programs say ---- */

/* The help of `pip download` has the default, and `pip index versions` the addresses of files:
 * "  Found link https://files.example/… (from https://index.example/…), version: 1". */
static void preset_hear_pip(struct gb_bytes said, struct preset_found *found)
{
    static const char before[] = "(default http";
    struct gb_bytes line, url;

    while (gb_bytes_line(&said, &line)) {
        const uint8_t *at = memmem(line.data, line.size, before, sizeof(before) - 1);

        line = preset_trim(line);
        if (gb_bytes_skip(&line, "Found link ")) {
            (void)preset_add_url(preset_word(&line), PRESET_FILES, found);
        } else if (at != NULL && gb_bytes_skip(&line, "-i, --index-url ")) {
            at += strlen("(default ");
            url = (struct gb_bytes){at, (size_t)(line.data + line.size - at)};
            at = memchr(url.data, ')', url.size);
            if (at == NULL)
                continue;
            url.size = (size_t)(at - url.data);
            (void)preset_add_url(url, PRESET_DEFAULT, found);
        }
    }
}

/* `npm config get registry`, then the address of a file. */
static void preset_hear_npm(struct gb_bytes said, struct preset_found *found)
{
    enum preset_kind kind = PRESET_DEFAULT;
    struct gb_bytes line;

    while (gb_bytes_line(&said, &line)) {
        (void)preset_add_url(preset_trim(line), kind, found);
        kind = PRESET_FILES;
    }
}

/* ---- this host ---- */

struct preset {
    const char *name, *program;
    const char *variables[3]; /* that hold addresses; the last one is NULL */
    size_t indexes;           /* how many of them are that of the index itself */
    const char *file_variable;
    const char *files[4]; /* likewise; "~/": of the user */
    bool (*read)(struct gb_bytes file, struct preset_found *found);
    const char *command; /* for a shell */
    const char *trust;   /* the variable for hosts without TLS; NULL: none is needed */
    void (*hear)(struct gb_bytes said, struct preset_found *found);
};

/* Nothing is fetched but what the index says about the package manager itself, of which each index
 * has a copy that has one of everything. */
static const struct preset presets[GB_PRESETS] = {
    {
        .name = "python",
        .program = "pip",
        .variables = {"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"},
        .indexes = 1,
        .file_variable = "PIP_CONFIG_FILE",
        .files = {"~/.config/pip/pip.conf", "~/.pip/pip.conf", "/etc/pip.conf"},
        .read = preset_read_pip,
        .command = "cd /; p=pip; command -v pip >/dev/null || p='python3 -m pip'; "
                   "COLUMNS=1000 $p download --help; "
                   "exec $p index versions -vv --no-input --no-color --no-cache-dir "
                   "--disable-pip-version-check --retries 0 --timeout 5 pip",
        .trust = "PIP_TRUSTED_HOST",
        .hear = preset_hear_pip,
    },
    {
        .name = "node",
        .program = "npm",
        .variables = {"NPM_CONFIG_REGISTRY", "npm_config_registry"},
        .indexes = 2,
        .file_variable = "NPM_CONFIG_USERCONFIG",
        .files = {"~/.npmrc", "/etc/npmrc"},
        .read = preset_read_npm,
        .command = "cd /; npm config get registry; "
                   "exec npm view --no-update-notifier --logs-max=0 --fetch-retries=0 "
                   "--fetch-timeout=5000 npm dist.tarball",
        .hear = preset_hear_npm,
    },
};

/* A file that is missing or cannot be read has no addresses. */
static bool preset_read_file(const struct preset *preset, const char *path,
                             struct preset_found *found)
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
static bool preset_find(const struct preset *preset, struct preset_found *found)
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

int gb_preset_number(struct gb_bytes name)
{
    for (size_t i = 0; i < ARRAY_SIZE(presets); i++)
        if (gb_bytes_equal(name, presets[i].name))
            return (int)i;
    return -1;
}

const char *gb_preset_command(int number)
{
    return presets[number].command;
}

int gb_preset_variables(int number, struct gb_bytes index,
                        int (*add)(void *arg, const char *name, struct gb_bytes value), void *arg)
{
    const struct preset *preset = &presets[number];
    _cleanup_(gb_buf_release) struct gb_buf host = {0};
    struct preset_url url;
    int r = add(arg, preset->variables[0], index);

    /* pip refuses an index without TLS, unless the host is trusted. */
    if (r < 0 || preset->trust == NULL || !preset_parse_url(index, &url) || url.tls)
        return r;
    gb_buf_addf(&host, "%s:%u", url.name, url.port);
    return add(arg, preset->trust, gb_buf_bytes(&host));
}

static int preset_look(const struct preset *preset, struct gb_bytes said,
                       struct preset_found *found, struct gb_err *err)
{
    if (!preset_find(preset, found))
        return gb_err_set(err, GB_EINVALID,
                          "an index in the configuration of %s on the server's host has no address "
                          "of the form https://HOST/…",
                          preset->program);
    preset->hear(said, found);
    return 0;
}

int gb_preset_rules(int number, const struct gb_preset_known *known, struct gb_buf *rules,
                    struct gb_err *err)
{
    const struct preset *preset = &presets[number];
    const size_t before = rules->size;
    struct preset_found found = {.rules = rules, .places = known->places};
    int r = preset_look(preset, known->said, &found, err);

    gb_buf_release(&found.sites);
    if (r == 0 && rules->size == before)
        return gb_err_set(err, GB_EINVALID,
                          "no index is configured for %s on the server's host, and %s there names "
                          "none; configure one, or write the rules yourself in [network \"%s\"] of "
                          "the settings",
                          preset->program, preset->program, preset->name);
    return r;
}

int gb_preset_index(int number, struct gb_bytes said, struct gb_buf *index, struct gb_err *err)
{
    const struct preset *preset = &presets[number];
    int r = preset_look(preset, said, &(struct preset_found){.index = index}, err);

    if (r < 0)
        return r;
    if (index->size == 0)
        return gb_err_set(err, GB_ENOTFOUND,
                          "no index is configured for %s on the server's host, and %s there names "
                          "none: packages come from there",
                          preset->program, preset->program);
    if (memchr(gb_buf_data(index), '@', index->size) != NULL)
        return gb_err_set(err, GB_EUNSUPPORTED,
                          "the index that is configured for %s has a password in its address, "
                          "which must not reach a guest",
                          preset->program);
    return 0;
}
