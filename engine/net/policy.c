/* SPDX-License-Identifier: Apache-2.0 */
#include "net/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { SHOWN_MAX = 80, PORT_HTTP = 80, PORT_TLS = 443 };

static const char *const mode_names[GB_POLICY_MODE_COUNT] = {"tcp", "tls", "http", "inspect"};

/* ---- reading ---- */

struct policy_reader {
    struct gb_policy *policy;
    unsigned line;
    struct gb_bytes rest; /* of the line */
    struct gb_err *err;
};

static int policy_complain(const struct policy_reader *reader, const char *what,
                           struct gb_bytes word)
{
    _cleanup_(gb_buf_release) struct gb_buf shown = {0};

    gb_escape(&shown, word, SHOWN_MAX);
    return gb_err_set(reader->err, GB_EINVALID, "network policy, line %u: %s: %s", reader->line,
                      what, gb_buf_str(&shown));
}

static bool policy_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The next word; size 0 at the end of the line or at a comment. */
static struct gb_bytes policy_word(struct policy_reader *reader)
{
    struct gb_bytes *rest = &reader->rest, word;

    while (rest->size > 0 && policy_is_space(rest->data[0])) {
        rest->data++;
        rest->size--;
    }
    word = (struct gb_bytes){rest->data, 0};
    if (rest->size > 0 && rest->data[0] == '#')
        return word;
    while (word.size < rest->size && !policy_is_space(rest->data[word.size]))
        word.size++;
    rest->data += word.size;
    rest->size -= word.size;
    return word;
}

/* Words with a meaning in rules, now or in future: never host names. */
static bool policy_is_reserved(struct gb_bytes word)
{
    static const char *const words[] = {"allow", "ask", "deny", "resolve", "private", "inspect",
                                        "udp",   "ip",  "tls",  "http",    "tcp"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (gb_bytes_equal(word, words[i]))
            return true;
    }
    return false;
}

static int policy_add_name(struct policy_reader *reader, struct gb_policy_rule *rule,
                           struct gb_bytes word)
{
    char name[2 + GB_HOST_NAME_MAX + 1] = "*.";
    struct gb_bytes host = word;
    size_t wild = word.size > 2 && word.data[0] == '*' && word.data[1] == '.' ? 2 : 0;

    host.data += wild;
    host.size -= wild;
    if (gb_bytes_equal(word, "*"))
        name[1] = '\0';
    else if (policy_is_reserved(word) || !gb_name_normalise(host, name + wild))
        return policy_complain(reader, "this is not the name of a host", word);
    rule->names =
        rule->names != NULL ? rule->names : xcalloc(GB_POLICY_TARGETS_MAX, sizeof(*rule->names));
    rule->names[rule->count++] = xstrdup(name);
    return 0;
}

static int policy_add_net(struct policy_reader *reader, struct gb_policy_rule *rule,
                          struct gb_bytes word)
{
    struct gb_address_net net;

    if (!gb_address_net_parse(word, &net))
        return policy_complain(reader, "this is not an address or a network", word);
    rule->nets =
        rule->nets != NULL ? rule->nets : xcalloc(GB_POLICY_TARGETS_MAX, sizeof(*rule->nets));
    rule->nets[rule->count++] = net;
    return 0;
}

/* ":443", ":8000-8999". */
static int policy_add_ports(struct policy_reader *reader, struct gb_policy_rule *rule,
                            struct gb_bytes word)
{
    struct gb_bytes at = {word.data + 1, word.size - 1};
    uint64_t first, last;

    if (rule->port_count == GB_POLICY_PORTS_MAX)
        return policy_complain(reader, "there are too many ports", word);
    if (!gb_bytes_number(&at, UINT16_MAX, &first) || first == 0)
        return policy_complain(reader, "this is not a port", word);
    last = first;
    if (at.size > 0 && (!gb_bytes_skip(&at, "-") || !gb_bytes_number(&at, UINT16_MAX, &last)))
        return policy_complain(reader, "this is not a port", word);
    if (at.size > 0 || last < first)
        return policy_complain(reader, "this is not a port", word);
    rule->ports[rule->port_count++] = (struct gb_policy_ports){(uint16_t)first, (uint16_t)last};
    return 0;
}

/* True if the word is an option for how connections are checked. */
static bool policy_take_option(struct gb_policy_rule *rule, struct gb_bytes word)
{
    if (!rule->allow && !rule->ask)
        return false;
    if (gb_bytes_equal(word, "private")) {
        rule->is_private = true;
        return true;
    }
    for (size_t i = 0; i < GB_POLICY_MODE_COUNT; i++) {
        if (gb_bytes_equal(word, mode_names[i]) && !rule->has_mode &&
            (!rule->is_ip || i == GB_POLICY_TCP)) {
            rule->has_mode = true;
            rule->mode = (enum gb_policy_mode)i;
            return true;
        }
    }
    return false;
}

static int policy_read_rule(struct policy_reader *reader, struct gb_bytes verb)
{
    struct gb_policy *policy = reader->policy;
    struct gb_policy_rule *rule;
    struct gb_bytes word;
    bool options = false;
    int r = 0;

    if (policy->rule_count == GB_POLICY_RULES_MAX)
        return gb_err_set(reader->err, GB_ETOOLARGE, "a network policy has at most %d rules",
                          GB_POLICY_RULES_MAX);
    if (policy->rules == NULL)
        policy->rules = xcalloc(GB_POLICY_RULES_MAX, sizeof(*policy->rules));
    rule = &policy->rules[policy->rule_count++];
    *rule = (struct gb_policy_rule){.line = reader->line,
                                    .allow = gb_bytes_equal(verb, "allow"),
                                    .ask = gb_bytes_equal(verb, "ask")};
    while (r == 0 && (word = policy_word(reader)).size > 0) {
        if (word.data[0] == ':') {
            r = policy_add_ports(reader, rule, word);
            options = true;
        } else if (rule->count > 0 && policy_take_option(rule, word)) {
            options = true;
        } else if (options) {
            r = policy_complain(reader, "this is none of tls, inspect, http, tcp, private", word);
        } else if (rule->count == 0 && !rule->is_ip && gb_bytes_equal(word, "ip")) {
            rule->is_ip = true;
        } else if (rule->count == GB_POLICY_TARGETS_MAX) {
            r = policy_complain(reader, "there are too many names", word);
        } else {
            r = rule->is_ip ? policy_add_net(reader, rule, word)
                            : policy_add_name(reader, rule, word);
        }
    }
    if (r == 0 && rule->count == 0)
        r = policy_complain(reader, "a rule names hosts or networks", verb);
    return r;
}

static int policy_read_place(struct policy_reader *reader)
{
    struct gb_policy *policy = reader->policy;
    char name[GB_HOST_NAME_MAX + 1];
    struct gb_bytes word = policy_word(reader);
    struct gb_policy_place *place;

    if (!gb_name_normalise(word, name))
        return policy_complain(reader, "this is not the name of a host", word);
    if (policy->place_count == GB_POLICY_RULES_MAX || gb_policy_place(policy, name) != NULL)
        return policy_complain(reader, "there is a line for it already, or too many", word);
    if (policy->places == NULL)
        policy->places = xcalloc(GB_POLICY_RULES_MAX, sizeof(*policy->places));
    place = &policy->places[policy->place_count++];
    *place = (struct gb_policy_place){
        .name = xstrdup(name),
        .addresses = xcalloc(GB_POLICY_TARGETS_MAX, sizeof(*place->addresses))};
    while ((word = policy_word(reader)).size > 0) {
        if (place->count == GB_POLICY_TARGETS_MAX ||
            !gb_address_parse(word, &place->addresses[place->count]))
            return policy_complain(reader, "this is not an address", word);
        place->count++;
    }
    return place->count > 0
               ? 0
               : policy_complain(reader, "no address is given for", gb_bytes_str(place->name));
}

static int policy_read_line(struct policy_reader *reader)
{
    struct gb_bytes word = policy_word(reader);

    if (word.size == 0)
        return 0;
    if (gb_bytes_equal(word, "allow") || gb_bytes_equal(word, "ask") ||
        gb_bytes_equal(word, "deny"))
        return policy_read_rule(reader, word);
    if (gb_bytes_equal(word, "resolve"))
        return policy_read_place(reader);
    return policy_complain(reader, "a line begins with allow, ask, deny or resolve", word);
}

int gb_policy_parse(struct gb_policy *policy, struct gb_bytes text, struct gb_err *err)
{
    struct policy_reader reader = {.policy = policy, .err = err};

    *policy = (struct gb_policy){0};
    if (text.size > GB_POLICY_TEXT_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "a network policy has at most %d bytes",
                          GB_POLICY_TEXT_MAX);
    while (gb_bytes_line(&text, &reader.rest)) {
        int r;

        reader.line++;
        r = policy_read_line(&reader);
        if (r < 0)
            return r;
    }
    return 0;
}

void gb_policy_release(struct gb_policy *policy)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        struct gb_policy_rule *rule = &policy->rules[i];

        for (size_t j = 0; rule->names != NULL && j < rule->count; j++)
            free(rule->names[j]);
        free(rule->names);
        free(rule->nets);
    }
    for (size_t i = 0; i < policy->place_count; i++) {
        free(policy->places[i].name);
        free(policy->places[i].addresses);
    }
    free(policy->rules);
    free(policy->places);
    *policy = (struct gb_policy){0};
}

/* ---- writing ---- */

const char *gb_policy_mode_name(enum gb_policy_mode mode)
{
    return mode_names[mode];
}

static void policy_write_net(const struct gb_address_net *net, struct gb_buf *text)
{
    char address[GB_ADDRESS_TEXT];
    bool v4 = gb_address_is_v4(&net->address);

    gb_address_format(&net->address, address);
    gb_buf_addf(text, " %s/%u", address, net->bits - (v4 ? 96 : 0));
}

void gb_policy_write_rule(const struct gb_policy_rule *rule, struct gb_buf *text)
{
    const char *verb = rule->allow ? "allow" : rule->ask ? "ask" : "deny";

    gb_buf_addf(text, "%s%s", verb, rule->is_ip ? " ip" : "");
    for (size_t i = 0; i < rule->count; i++) {
        if (rule->is_ip)
            policy_write_net(&rule->nets[i], text);
        else
            gb_buf_addf(text, " %s", rule->names[i]);
    }
    for (size_t i = 0; i < rule->port_count; i++) {
        gb_buf_addf(text, " :%u", rule->ports[i].first);
        if (rule->ports[i].last != rule->ports[i].first)
            gb_buf_addf(text, "-%u", rule->ports[i].last);
    }
    if (rule->has_mode)
        gb_buf_addf(text, " %s", mode_names[rule->mode]);
    gb_buf_adds(text, rule->is_private ? " private\n" : "\n");
}

void gb_policy_write(const struct gb_policy *policy, struct gb_buf *text)
{
    for (size_t i = 0; i < policy->rule_count; i++)
        gb_policy_write_rule(&policy->rules[i], text);
    for (size_t i = 0; i < policy->place_count; i++) {
        const struct gb_policy_place *place = &policy->places[i];
        char address[GB_ADDRESS_TEXT];

        gb_buf_addf(text, "resolve %s", place->name);
        for (size_t j = 0; j < place->count; j++) {
            gb_address_format(&place->addresses[j], address);
            gb_buf_addf(text, " %s", address);
        }
        gb_buf_adds(text, "\n");
    }
}

/* ---- deciding ---- */

static bool policy_has_port(const struct gb_policy_rule *rule, uint16_t port)
{
    for (size_t i = 0; i < rule->port_count; i++) {
        if (port >= rule->ports[i].first && port <= rule->ports[i].last)
            return true;
    }
    return rule->port_count == 0 && (!rule->allow || port == PORT_HTTP || port == PORT_TLS);
}

static bool policy_names(const struct gb_policy_rule *rule, const char *name)
{
    for (size_t i = 0; !rule->is_ip && i < rule->count; i++) {
        if (gb_name_matches(rule->names[i], name))
            return true;
    }
    return false;
}

/* `deny *` and `ask *` apply to addresses too. */
static bool policy_has_address(const struct gb_policy_rule *rule, const struct gb_address *address)
{
    if (!rule->is_ip)
        return !rule->allow && policy_names(rule, "*");
    for (size_t i = 0; i < rule->count; i++) {
        if (gb_address_net_has(&rule->nets[i], address))
            return true;
    }
    return false;
}

const struct gb_policy_rule *gb_policy_allows_name(const struct gb_policy *policy, const char *name,
                                                   uint16_t port)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gb_policy_rule *rule = &policy->rules[i];

        if (policy_has_port(rule, port) && policy_names(rule, name))
            return rule->allow || rule->ask ? rule : NULL;
    }
    return NULL;
}

const struct gb_policy_rule *gb_policy_allows_address(const struct gb_policy *policy,
                                                      const struct gb_address *address,
                                                      uint16_t port)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gb_policy_rule *rule = &policy->rules[i];

        if (policy_has_port(rule, port) && policy_has_address(rule, address))
            return rule->allow || rule->ask ? rule : NULL;
    }
    return NULL;
}

bool gb_policy_knows_name(const struct gb_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gb_policy_rule *rule = &policy->rules[i];

        if (!policy_names(rule, name))
            continue;
        if (rule->allow || rule->ask)
            return true;
        if (rule->port_count == 0)
            return false;
    }
    return false;
}

bool gb_policy_each_inspected(const struct gb_policy *policy,
                              bool (*use)(void *arg, const char *name), void *arg)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        const struct gb_policy_rule *rule = &policy->rules[i];

        for (size_t j = 0; rule->has_mode && rule->mode == GB_POLICY_INSPECT && j < rule->count;
             j++) {
            if (!use(arg, rule->names[j]))
                return false;
        }
    }
    return true;
}

const struct gb_policy_place *gb_policy_place(const struct gb_policy *policy, const char *name)
{
    for (size_t i = 0; i < policy->place_count; i++) {
        if (strcmp(policy->places[i].name, name) == 0)
            return &policy->places[i];
    }
    return NULL;
}

enum gb_policy_mode gb_policy_mode(const struct gb_policy_rule *rule, uint16_t port)
{
    if (rule->has_mode)
        return rule->mode;
    if (rule->is_ip)
        return GB_POLICY_TCP;
    return port == PORT_TLS ? GB_POLICY_TLS : port == PORT_HTTP ? GB_POLICY_HTTP : GB_POLICY_TCP;
}
