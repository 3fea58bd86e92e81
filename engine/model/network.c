/* SPDX-License-Identifier: Apache-2.0 */
#include "model/network.h"

#include "base/limits.h"
#include "model/answer.h"

/* clang-format off */
#define QUESTION(field_, ...) GB_MEMBER(struct gb_question_info, field_, __VA_ARGS__)
static const struct gb_member question_members[] = {
    QUESTION(question, "question", GB_U64, GB_ALWAYS, .doc = "its number in the session"),
    QUESTION(session, "session", GB_TEXT, GB_OPTIONAL, .max = GB_NAME_MAX,
             .doc = "the session's id; only in snapshots"),
    QUESTION(name, "name", GB_TEXT, GB_NULLABLE, .max = GB_NETWORK_HOST_MAX,
             .doc = "the host; null: an address"),
    QUESTION(address, "address", GB_TEXT, GB_NULLABLE, .max = GB_NETWORK_HOST_MAX,
             .doc = "the address; null: a host"),
    QUESTION(port, "port", GB_U32, GB_ALWAYS, .max = UINT16_MAX, .doc = "of it"),
    QUESTION(cell, "cell", GB_U32, GB_NULLABLE, .doc = "the cell that was running, or null"),
    QUESTION(connections, "connections", GB_U32, GB_ALWAYS, .doc = "connections that wait for the answer"),
    QUESTION(at_ns, "at", GB_SECONDS, GB_ALWAYS, .doc = "when it was asked"),
    QUESTION(until_ns, "until", GB_SECONDS, GB_ALWAYS,
             .doc = "when they are refused without an answer"),
};

#define PORT(field_, ...) GB_MEMBER(struct gb_port_info, field_, __VA_ARGS__)
static const struct gb_member port_members[] = {
    PORT(port, "port", GB_U32, GB_ALWAYS, .max = UINT16_MAX, .doc = "of the guest"),
    PORT(address, "address", GB_TEXT, GB_ALWAYS, .max = GB_NETWORK_HOST_MAX,
         .doc = "its address on this host: `127.0.0.1:41234`, or the path of a socket"),
    PORT(open, "open", GB_U32, GB_ALWAYS, .doc = "open connections to it"),
    PORT(opened, "opened", GB_U64, GB_ALWAYS, .doc = "connections so far"),
    PORT(received, "received", GB_U64, GB_ALWAYS, .doc = "bytes that the guest has received"),
    PORT(sent, "sent", GB_U64, GB_ALWAYS, .doc = "bytes that it has sent"),
};

static const struct gb_member listening_members[] = {
    GB_MEMBER(struct gb_listening_info, port, "port", GB_U32, GB_ALWAYS, .max = UINT16_MAX,
              .doc = "of the guest"),
};

#define NETWORK(field_, ...) GB_MEMBER(struct gb_network_info, field_, __VA_ARGS__)
static const struct gb_member network_members[] = {
    NETWORK(network, "network", GB_TEXT, GB_ALWAYS,
            .doc = "its name: `none`, `rules`, or a name from the settings"),
    NETWORK(rules, "rules", GB_TEXT, GB_ALWAYS, .doc = "its rules, a line each"),
    NETWORK(secrets, "secrets", GB_TEXT, GB_OPTIONAL,
            .doc = "names of its secrets, separated by spaces"),
    NETWORK(open, "open", GB_U32, GB_ALWAYS, .doc = "open connections"),
    NETWORK(opened, "opened", GB_U64, GB_ALWAYS, .doc = "connections so far"),
    NETWORK(denied, "denied", GB_U64, GB_ALWAYS, .doc = "connections and names that were refused"),
    NETWORK(received, "received", GB_U64, GB_ALWAYS, .doc = "bytes that the guest has received"),
    NETWORK(sent, "sent", GB_U64, GB_ALWAYS, .doc = "bytes that it has sent"),
    NETWORK(questions, "questions", GB_LIST, GB_ALWAYS, .object = &gb_question_object,
            .doc = "questions that wait for `session.network_answer`, oldest first"),
    NETWORK(ports, "ports", GB_LIST, GB_ALWAYS, .object = &gb_port_object,
            .doc = "ports of the guest that are open to this host (`session.port_open`)"),
    NETWORK(listening, "listening", GB_LIST, GB_ALWAYS, .object = &gb_listening_object,
            .doc = "ports on which programs listen in the guest, ascending, at most 64"),
};

#define RECORD(field_, ...) GB_MEMBER(struct gb_network_record, field_, __VA_ARGS__)
static const struct gb_member record_members[] = {
    RECORD(number, "number", GB_U64, GB_ALWAYS, .doc = "its number; numbers increase"),
    RECORD(at_ns, "at", GB_SECONDS, GB_ALWAYS, .doc = "when it ended"),
    RECORD(kind, "kind", GB_WORD, GB_ALWAYS, .words = &gb_network_entry_words,
           .doc = "an ended connection; a refused connection or name; the rules that a client "
                  "set; the answer to a question; the end, with totals; a request to the host "
                  "of a secret or to an inspected one; a port that was opened or closed; a connection to it"),
    RECORD(cell, "cell", GB_U32, GB_NULLABLE, .doc = "the cell that was running when it began, "
                                                     "or null"),
    RECORD(connection, "connection", GB_U64, GB_OPTIONAL,
           .doc = "its number in the session; absent for a name lookup"),
    RECORD(name, "name", GB_TEXT, GB_NULLABLE, .max = GB_NETWORK_HOST_MAX,
           .doc = "the host; null: the program used an address"),
    RECORD(address, "address", GB_TEXT, GB_NULLABLE, .max = GB_NETWORK_HOST_MAX,
           .doc = "the address that was dialled or requested; of a port: its address on the host"),
    RECORD(port, "port", GB_U32, GB_OPTIONAL, .max = UINT16_MAX, .doc = "of it"),
    RECORD(line, "line", GB_U32, GB_OPTIONAL, .doc = "of the rule"),
    RECORD(rule, "rule", GB_TEXT, GB_NULLABLE, .max = GB_NETWORK_RULES_TEXT_MAX,
           .doc = "the rule that allowed it, at most 256 bytes; with `policy` all rules; with "
                  "`request` the method, the path without its query, the status, and the "
                  "secrets that were inserted"),
    RECORD(received, "received", GB_U64, GB_ALWAYS, .doc = "bytes, by the guest"),
    RECORD(sent, "sent", GB_U64, GB_ALWAYS, .doc = "bytes, by the guest"),
    RECORD(duration_ns, "ms", GB_MS, GB_ALWAYS, .doc = "how long it was open"),
    RECORD(reason, "reason", GB_TEXT, GB_NULLABLE, .max = GB_NETWORK_REASON_MAX,
           .doc = "why it was refused or broken, as in `network.denied`, or the answer; null: "
                  "it ended normally; of a port: `opened`, `closed`"),
    RECORD(client, "client", GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX,
           .doc = "the client that set the rules or answered; null: unnamed or none"),
    RECORD(left_out, "left_out", GB_U64, GB_OPTIONAL,
           .doc = "the number of records before this one that were not written because there "
                  "were too many"),
};

#define LOG(field_, ...) GB_MEMBER(struct gb_network_log_info, field_, __VA_ARGS__)
static const struct gb_member log_members[] = {
    LOG(records, "records", GB_LIST, GB_ALWAYS, .object = &gb_network_record_object,
        .doc = "in their order"),
    LOG(flags, "more", GB_BOOL, GB_ALWAYS, .bit = GB_PAGE_MORE, .doc = "there are more records"),
    LOG(next, "next", GB_U64, GB_OPTIONAL, .bit = GB_PAGE_HAS_NEXT,
        .doc = "the value of `after` for the next request; absent without `more`"),
};

#define SECRET(field_, ...) GB_MEMBER(struct gb_secret_info, field_, __VA_ARGS__)
static const struct gb_member secret_members[] = {
    SECRET(name, "name", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its name, as in `secrets` of "
                                                                        "`session.open`"),
    SECRET(source, "source", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX,
           .doc = "where its value comes from: `file`, `env` or `command`; empty: the settings "
                  "are invalid"),
    SECRET(place, "place", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX,
           .doc = "where it is inserted in a request: `bearer`, `basic`, `header NAME`, `query "
                  "NAME`"),
    SECRET(hosts, "hosts", GB_TEXT, GB_ALWAYS, .max = GB_NETWORK_RULES_TEXT_MAX,
           .doc = "the hosts that receive it, separated by spaces"),
    SECRET(variable, "variable", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX,
           .doc = "the environment variable of the guest that contains the placeholder"),
    SECRET(problem, "problem", GB_TEXT, GB_NULLABLE, .max = GB_NETWORK_RULES_TEXT_MAX,
           .doc = "why no session can use it, or null"),
};
#define SECRETS(field_, ...) GB_MEMBER(struct gb_secrets_info, field_, __VA_ARGS__)
static const struct gb_member secrets_members[] = {
    SECRETS(secrets, "secrets", GB_LIST, GB_ALWAYS, .object = &gb_secret_object,
            .doc = "in the order of the settings"),
};

const struct gb_object gb_secret_object = {
    GB_OBJECT_TABLE("secret", struct gb_secret_info, secret_members)};
const struct gb_object gb_secrets_object = {
    GB_OBJECT_TABLE("secrets", struct gb_secrets_info, secrets_members)};
const struct gb_object gb_question_object = {
    GB_OBJECT_TABLE("question", struct gb_question_info, question_members)};
const struct gb_object gb_port_object = {
    GB_OBJECT_TABLE("port", struct gb_port_info, port_members)};
const struct gb_object gb_listening_object = {
    GB_OBJECT_TABLE("listening", struct gb_listening_info, listening_members)};
const struct gb_object gb_network_object = {GB_OBJECT_TABLE("network", struct gb_network_info,
                                                            network_members)},
                       gb_network_record_object = {GB_OBJECT_TABLE(
                           "network_record", struct gb_network_record, record_members)},
                       gb_network_log_object = {GB_OBJECT_TABLE(
                           "network_log", struct gb_network_log_info, log_members)};
/* clang-format on */
