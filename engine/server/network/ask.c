/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/preset.h"

/* Each element becomes a line, prefixed with @before. */
static int ask_add_lines(struct gb_buf *text, const char *before, const struct gb_json *lines,
                         struct gb_err *err)
{
    const struct gb_json *line;

    if (lines->type != GB_JSON_ARRAY)
        return gb_err_set(err, GB_EINVALID, "rules of a network are an array of strings");
    line = gb_json_first(lines);
    for (uint32_t i = 0; i < lines->count; i++, line = gb_json_next(line)) {
        if (line->type != GB_JSON_STRING || memchr(line->text.data, '\n', line->text.size) != NULL)
            return gb_err_set(err, GB_EINVALID, "a rule of a network is a string of one line");
        gb_buf_adds(text, before);
        gb_buf_add(text, line->text.data, line->text.size);
        gb_buf_adds(text, "\n");
    }
    return 0;
}

/* {"rules": […], "allow": […]} */
static int ask_read_rules(const struct gb_json *value, struct network_ask *ask, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    const struct gb_json *rules = gb_json_member(value, "rules");
    const struct gb_json *allow = gb_json_member(value, "allow");
    int r = 0;

    if (value->count != (rules != NULL ? 1u : 0u) + (allow != NULL ? 1u : 0u) || value->count == 0)
        return gb_err_set(err, GB_EINVALID, "network as an object has `rules`, `allow`, or both");
    if (rules != NULL)
        r = ask_add_lines(&text, "", rules, err);
    if (r == 0 && allow != NULL)
        r = ask_add_lines(&text, "allow ", allow, err);
    if (r == 0)
        r = gb_policy_parse(&ask->policy, gb_buf_bytes(&text), err);
    ask->on = true;
    (void)snprintf(ask->name, sizeof(ask->name), "rules");
    return r;
}

/* A name of the settings, or else of a preset. */
static int ask_find(const struct gb_settings *settings, struct gb_bytes name,
                    struct network_ask *ask, struct gb_err *err)
{
    const struct gb_bytes nothing = {0};
    _cleanup_(gb_buf_release) struct gb_buf index = {0};
    int r;

    for (size_t i = 0; i < settings->networks.count; i++) {
        const struct gb_settings_text *network = &settings->networks.list[i];

        if (!gb_bytes_equal(name, network->name))
            continue;
        ask->on = ask->is_named = true;
        (void)snprintf(ask->name, sizeof(ask->name), "%s", network->name);
        return gb_policy_parse(&ask->policy, gb_bytes_str(network->text), err);
    }
    ask->preset = gb_preset_number(name);
    if (ask->preset >= 0) {
        ask->on = ask->is_named = true;
        (void)snprintf(ask->name, sizeof(ask->name), "%.*s", (int)name.size,
                       (const char *)name.data);
        /* What is wrong is told now; what is not known yet may be found. */
        r = gb_preset_index(ask->preset, nothing, &index, err);
        return r == -GB_EINVALID ? r : 0;
    }
    return gb_err_set(
        err, GB_EINVALID,
        "the settings have no [network \"%.*s\"]: name one that they have, give rules, "
        "or say \"none\"",
        (int)MIN(name.size, (size_t)64), (const char *)name.data);
}

int network_ask_read(const struct gb_settings *settings, const struct gb_json *value,
                     struct network_ask *ret_ask, struct gb_err *err)
{
    const struct gb_json *mode = value == NULL ? NULL : gb_json_member(value, "mode");

    *ret_ask = (struct network_ask){.name = "none", .preset = -1};
    if (value == NULL)
        return 0;
    if (value->type == GB_JSON_STRING &&
        (gb_bytes_equal(value->text, "none") || gb_bytes_equal(value->text, "off")))
        return 0;
    if (value->type == GB_JSON_STRING)
        return ask_find(settings, value->text, ret_ask, err);
    if (value->type != GB_JSON_OBJECT)
        return gb_err_set(err, GB_EINVALID, "network must be a string or an object, and is %s",
                          gb_json_type_name(value->type));
    if (mode != NULL && value->count == 1 && mode->type == GB_JSON_STRING &&
        gb_bytes_equal(mode->text, "none"))
        return 0;
    return ask_read_rules(value, ret_ask, err);
}

int network_ask_preset(int preset, const struct gb_preset_known *known,
                       struct gb_policy *ret_policy, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf rules = {0};
    int r = gb_preset_rules(preset, known, &rules, err);

    if (r == 0)
        r = gb_policy_parse(ret_policy, gb_buf_bytes(&rules), err);
    if (r < 0)
        gb_policy_release(ret_policy);
    return r;
}

int network_ask_add_text(const struct gb_policy *policy, struct gb_bytes rules,
                         struct gb_policy *ret_policy, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    int r;

    gb_buf_add(&text, rules.data, rules.size);
    gb_policy_write(policy, &text);
    r = gb_policy_parse(ret_policy, gb_buf_bytes(&text), err);
    if (r < 0)
        gb_policy_release(ret_policy);
    return r;
}

int network_ask_add(const struct gb_policy *policy, const struct gb_json *rules,
                    struct gb_policy *ret_policy, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    int r = ask_add_lines(&text, "", rules, err);

    return r < 0 ? r : network_ask_add_text(policy, gb_buf_bytes(&text), ret_policy, err);
}
