/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/authority.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/limits.h"
#include "base/mem.h"
#include "edge/protocol.h"

enum { VALID_S = 31 * 24 * 3600, EARLY_S = 24 * 3600 }; /* early: for clocks that are late */

struct authority_server {
    char name[GB_HOST_NAME_MAX + 1];
    SSL_CTX *context;
    uint64_t asked; /* count of calls when it was asked for last */
};

struct gb_authority {
    EVP_PKEY *key, *server_key;
    X509 *certificate;
    struct authority_server servers[GB_EDGE_CONNECTIONS_MAX];
    size_t server_count;
    uint64_t asked;
};

static int authority_fail(struct gb_err *err, const char *what)
{
    char text[160];

    ERR_error_string_n(ERR_get_error(), text, sizeof(text));
    ERR_clear_error();
    return gb_err_set(err, GB_EINTERNAL, "%s: %s", what, text);
}

/* ---- certificates ---- */

static bool authority_extend(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    bool good;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    good = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static bool authority_name(X509_NAME *name, const char *common)
{
    return name != NULL &&
           X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"Glassbell",
                                      -1, -1, 0) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1,
                                      -1, 0) == 1;
}

/* A certificate for @key without extensions; NULL: it failed. */
static X509 *authority_draft(EVP_PKEY *key, const char *common)
{
    X509 *certificate = X509_new();
    unsigned char serial[16];
    BIGNUM *number = NULL;
    bool good = certificate != NULL && RAND_bytes(serial, sizeof(serial)) == 1;

    if (good) {
        serial[0] &= 0x7f; /* positive */
        number = BN_bin2bn(serial, sizeof(serial), NULL);
    }
    good = good && number != NULL && X509_set_version(certificate, 2) == 1 &&
           BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -(long)EARLY_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), (long)VALID_S) != NULL &&
           authority_name(X509_get_subject_name(certificate), common) &&
           X509_set_pubkey(certificate, key) == 1;
    BN_free(number);
    if (!good) {
        X509_free(certificate);
        certificate = NULL;
    }
    return certificate;
}

/* A constraint without a wildcard covers the name and all below it. */
static void authority_put_constraints(const char *const *hosts, size_t count, struct gb_buf *text)
{
    gb_buf_adds(text, "critical");
    for (size_t i = 0; i < count; i++)
        gb_buf_addf(text, ",permitted;DNS:%s",
                    strncmp(hosts[i], "*.", 2) == 0 ? hosts[i] + 2 : hosts[i]);
}

static bool authority_is_for_all(const char *const *hosts, size_t count)
{
    size_t i = 0;

    while (i < count && strcmp(hosts[i], "*") != 0)
        i++;
    return i < count;
}

static X509 *authority_make(EVP_PKEY *key, const char *const *hosts, size_t count)
{
    _cleanup_(gb_buf_release) struct gb_buf names = {0};
    X509 *certificate = authority_draft(key, "Glassbell session");

    authority_put_constraints(hosts, count, &names);
    if (certificate == NULL)
        return NULL;
    if (X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1 &&
        authority_extend(certificate, certificate, NID_basic_constraints,
                         "critical,CA:TRUE,pathlen:0") &&
        authority_extend(certificate, certificate, NID_key_usage, "critical,keyCertSign") &&
        authority_extend(certificate, certificate, NID_subject_key_identifier, "hash") &&
        (authority_is_for_all(hosts, count) ||
         authority_extend(certificate, certificate, NID_name_constraints, gb_buf_str(&names))) &&
        X509_sign(certificate, key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

static X509 *authority_make_leaf(const struct gb_authority *authority, const char *name)
{
    char alternative[GB_HOST_NAME_MAX + 8];
    X509 *certificate = authority_draft(authority->server_key, "Glassbell");

    (void)snprintf(alternative, sizeof(alternative), "DNS:%s", name);
    if (certificate == NULL)
        return NULL;
    if (X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate)) == 1 &&
        authority_extend(certificate, authority->certificate, NID_basic_constraints,
                         "critical,CA:FALSE") &&
        authority_extend(certificate, authority->certificate, NID_key_usage,
                         "critical,digitalSignature") &&
        authority_extend(certificate, authority->certificate, NID_ext_key_usage, "serverAuth") &&
        authority_extend(certificate, authority->certificate, NID_authority_key_identifier,
                         "keyid:always") &&
        authority_extend(certificate, authority->certificate, NID_subject_alt_name, alternative) &&
        X509_sign(certificate, authority->key, EVP_sha256()) > 0)
        return certificate;
    X509_free(certificate);
    return NULL;
}

/* ---- life ---- */

int gb_authority_new(const char *const *hosts, size_t count, struct gb_authority **ret_authority,
                     struct gb_err *err)
{
    struct gb_authority *authority = xcalloc(1, sizeof(*authority));

    authority->key = EVP_EC_gen("P-256");
    authority->server_key = EVP_EC_gen("P-256");
    if (authority->key != NULL && authority->server_key != NULL)
        authority->certificate = authority_make(authority->key, hosts, count);
    if (authority->certificate == NULL) {
        gb_authority_free(authority);
        return authority_fail(err, "no certificate authority");
    }
    *ret_authority = authority;
    return 0;
}

void gb_authority_free(struct gb_authority *authority)
{
    if (authority == NULL)
        return;
    for (size_t i = 0; i < authority->server_count; i++)
        SSL_CTX_free(authority->servers[i].context);
    X509_free(authority->certificate);
    EVP_PKEY_free(authority->server_key);
    EVP_PKEY_free(authority->key);
    free(authority);
}

static int authority_put(const struct gb_authority *authority, bool with_key, struct gb_buf *pem,
                         struct gb_err *err)
{
    BIO *bio = BIO_new(BIO_s_mem()); /* its memory is overwritten before it is freed */
    char *data = NULL;
    long size = 0;

    if (bio != NULL && PEM_write_bio_X509(bio, authority->certificate) == 1 &&
        (!with_key ||
         PEM_write_bio_PrivateKey(bio, authority->key, NULL, NULL, 0, NULL, NULL) == 1))
        size = BIO_get_mem_data(bio, &data);
    if (size > 0)
        gb_buf_add(pem, data, (size_t)size);
    BIO_free(bio);
    return size > 0 ? 0 : authority_fail(err, "no certificate");
}

int gb_authority_write(const struct gb_authority *authority, struct gb_buf *pem, struct gb_err *err)
{
    return authority_put(authority, false, pem, err);
}

int gb_authority_share(const struct gb_authority *authority, struct gb_buf *pem, struct gb_err *err)
{
    return authority_put(authority, true, pem, err);
}

int gb_authority_take(struct gb_bytes pem, struct gb_authority **ret_authority, struct gb_err *err)
{
    struct gb_authority *authority = xcalloc(1, sizeof(*authority));
    BIO *bio = pem.size > INT_MAX ? NULL : BIO_new_mem_buf(pem.data, (int)pem.size);

    if (bio != NULL) {
        authority->certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        authority->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    }
    BIO_free(bio);
    if (authority->certificate == NULL || authority->key == NULL ||
        X509_check_private_key(authority->certificate, authority->key) != 1) {
        gb_authority_free(authority);
        ERR_clear_error();
        return gb_err_set(err, GB_EINVALID, "this is no certificate authority");
    }
    authority->server_key = EVP_EC_gen("P-256");
    if (authority->server_key == NULL) {
        gb_authority_free(authority);
        return authority_fail(err, "no key");
    }
    *ret_authority = authority;
    return 0;
}

/* ---- servers ---- */

/* Only HTTP/1.1 is understood here, so nothing else is agreed on. */
static int authority_on_alpn(SSL *ssl, const unsigned char **out, unsigned char *size,
                             const unsigned char *offered, unsigned offered_size, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, size, ours, sizeof(ours) - 1, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* The name that the client asks for must be the host's, which is the only one in the certificate.
 */
static int authority_on_name(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)arg;
    if (name != NULL && name[0] != '.' &&
        X509_check_host(SSL_get_certificate(ssl), name, strlen(name),
                        X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                        NULL) == 1)
        return SSL_TLSEXT_ERR_OK;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *authority_make_server(const struct gb_authority *authority, const char *name)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    X509 *leaf = authority_make_leaf(authority, name);
    bool good = context != NULL && leaf != NULL &&
                SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                SSL_CTX_use_certificate(context, leaf) == 1 &&
                SSL_CTX_use_PrivateKey(context, authority->server_key) == 1;

    X509_free(leaf);
    if (!good) {
        SSL_CTX_free(context);
        return NULL;
    }
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_options(context,
                              SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_alpn_select_cb(context, authority_on_alpn, NULL);
    (void)SSL_CTX_set_tlsext_servername_callback(context, authority_on_name);
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    return context;
}

/* Where one more is remembered. */
static struct authority_server *authority_room(struct gb_authority *authority)
{
    struct authority_server *oldest = &authority->servers[0];

    if (authority->server_count < GB_EDGE_CONNECTIONS_MAX)
        return &authority->servers[authority->server_count++];
    for (size_t i = 1; i < authority->server_count; i++) {
        if (authority->servers[i].asked < oldest->asked)
            oldest = &authority->servers[i];
    }
    SSL_CTX_free(oldest->context);
    return oldest;
}

int gb_authority_server(struct gb_authority *authority, const char *name, SSL_CTX **ret_context,
                        struct gb_err *err)
{
    struct authority_server *server;
    SSL_CTX *context;

    authority->asked++;
    for (size_t i = 0; i < authority->server_count; i++) {
        server = &authority->servers[i];
        if (strcmp(server->name, name) == 0) {
            server->asked = authority->asked;
            *ret_context = server->context;
            return 0;
        }
    }
    if (strlen(name) > GB_HOST_NAME_MAX)
        return gb_err_set(err, GB_EINTERNAL, "a name that is too long");
    context = authority_make_server(authority, name);
    if (context == NULL)
        return authority_fail(err, "no certificate for a host");
    server = authority_room(authority);
    *server = (struct authority_server){.context = context, .asked = authority->asked};
    memcpy(server->name, name, strlen(name) + 1);
    *ret_context = context;
    return 0;
}

/* ---- clients ---- */

static size_t authority_add_trusted(X509_STORE *store, struct gb_bytes pem)
{
    BIO *bio = pem.size > INT_MAX ? NULL : BIO_new_mem_buf(pem.data, (int)pem.size);
    size_t count = 0;
    X509 *certificate;

    while (bio != NULL && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        count += X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
    }
    ERR_clear_error(); /* the end of the text is one */
    BIO_free(bio);
    return count;
}

int gb_authority_client(struct gb_bytes pem, SSL_CTX **ret_context, struct gb_err *err)
{
    static const unsigned char http[] = "\x08http/1.1";
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(context, http, sizeof(http) - 1) != 0) {
        SSL_CTX_free(context);
        return authority_fail(err, "no TLS");
    }
    if (authority_add_trusted(SSL_CTX_get_cert_store(context), pem) == 0) {
        SSL_CTX_free(context);
        return gb_err_set(err, GB_EINVALID, "there is no certificate in it");
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    (void)SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    *ret_context = context;
    return 0;
}
