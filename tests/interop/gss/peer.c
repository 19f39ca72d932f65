/* gss-ntlmssp as a peer on a line protocol: it accepts or starts a datagram login, signs and verifies.
 *
 *   peer accept            (NTLM_USER_FILE names a file of DOMAIN:user:password lines)
 *   peer start  'DOMAIN\user'   (the password is the first line of the input)
 *
 * Lines in:   challenge | token BASE64 | sign BASE64 | verify BASE64 BASE64
 * Lines out:  token BASE64 | established | refused MAJOR MINOR | mic BASE64 | good | bad
 *
 * The mechanism is loaded directly, because the mechanism glue sends an empty first token elsewhere.
 */
#include <dlfcn.h>
#include <gssapi/gssapi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATAGRAM_FLAG 0x10000
#define IDENTIFY_FLAG 0x2000

static gss_OID_desc ntlm = {10, "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static gss_OID_desc user_name = {10, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x01"};
static gss_OID_desc service_name = {10, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04"};
/* 1.3.6.1.4.1.7165.655.1.1: sets the sequence number of the next signature */
static gss_OID_desc set_sequence = {11, "\x2b\x06\x01\x04\x01\xb7\x7d\x85\x0f\x01\x01"};

static OM_uint32 (*accept_context)(OM_uint32 *, gss_ctx_id_t *, gss_cred_id_t, gss_buffer_t,
                                   gss_channel_bindings_t, gss_name_t *, gss_OID *, gss_buffer_t,
                                   OM_uint32 *, OM_uint32 *, gss_cred_id_t *);
static OM_uint32 (*start_context)(OM_uint32 *, gss_cred_id_t, gss_ctx_id_t *, gss_name_t, gss_OID,
                                  OM_uint32, OM_uint32, gss_channel_bindings_t, gss_buffer_t,
                                  gss_OID *, gss_buffer_t, OM_uint32 *, OM_uint32 *);
static OM_uint32 (*import_name)(OM_uint32 *, gss_buffer_t, gss_OID, gss_name_t *);
static OM_uint32 (*cred_with_password)(OM_uint32 *, const gss_name_t, const gss_buffer_t, OM_uint32,
                                       const gss_OID_set, gss_cred_usage_t, gss_cred_id_t *,
                                       gss_OID_set *, OM_uint32 *);
static OM_uint32 (*get_mic)(OM_uint32 *, gss_ctx_id_t, gss_qop_t, gss_buffer_t, gss_buffer_t);
static OM_uint32 (*verify_mic)(OM_uint32 *, gss_ctx_id_t, gss_buffer_t, gss_buffer_t, gss_qop_t *);
static OM_uint32 (*set_option)(OM_uint32 *, gss_ctx_id_t *, const gss_OID, const gss_buffer_t);

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void *symbol(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "gss-ntlmssp lacks %s\n", name);
        exit(2);
    }
    return found;
}

static void load(void) {
    const char *places[] = {"/usr/lib/x86_64-linux-gnu/gssntlmssp/gssntlmssp.so",
                            "/usr/lib/aarch64-linux-gnu/gssntlmssp/gssntlmssp.so",
                            "/usr/lib64/gssntlmssp/gssntlmssp.so", "/usr/lib/gssntlmssp/gssntlmssp.so"};
    void *library = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places && !library; i++)
        library = dlopen(places[i], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "gss-ntlmssp is not installed: %s\n", dlerror());
        exit(2);
    }
    accept_context = symbol(library, "gss_accept_sec_context");
    start_context = symbol(library, "gss_init_sec_context");
    import_name = symbol(library, "gss_import_name");
    cred_with_password = symbol(library, "gssspi_acquire_cred_with_password");
    get_mic = symbol(library, "gss_get_mic");
    verify_mic = symbol(library, "gss_verify_mic");
    set_option = symbol(library, "gss_set_sec_context_option");
}

static void print_base64(const char *word, gss_buffer_t buffer) {
    const unsigned char *in = buffer->value;
    size_t n = buffer->length;
    printf("%s ", word);
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = in[i] << 16 | (i + 1 < n ? in[i + 1] << 8 : 0) | (i + 2 < n ? in[i + 2] : 0);
        putchar(alphabet[v >> 18 & 63]);
        putchar(alphabet[v >> 12 & 63]);
        putchar(i + 1 < n ? alphabet[v >> 6 & 63] : '=');
        putchar(i + 2 < n ? alphabet[v & 63] : '=');
    }
    putchar('\n');
    fflush(stdout);
}

static gss_buffer_desc from_base64(const char *text) {
    gss_buffer_desc out = {0, malloc(strlen(text) + 3)};
    unsigned char *to = out.value;
    uint32_t bits = 0;
    int have = 0;
    for (; text && *text; text++) {
        const char *at = strchr(alphabet, *text);
        if (!at || *text == '=') continue;
        bits = bits << 6 | (uint32_t)(at - alphabet);
        have += 6;
        if (have >= 8) {
            have -= 8;
            to[out.length++] = bits >> have & 255;
        }
    }
    return out;
}

/* Every SIP signature uses the sequence number 100, in both directions. */
static void sequence_100(gss_ctx_id_t *context) {
    unsigned char value[4] = {100, 0, 0, 0};
    gss_buffer_desc buffer = {4, value};
    OM_uint32 minor;
    if (GSS_ERROR(set_option(&minor, context, &set_sequence, &buffer)))
        fprintf(stderr, "the sequence number cannot be set (%u)\n", minor);
}

static void report(OM_uint32 major, OM_uint32 minor, gss_buffer_t token) {
    if (GSS_ERROR(major)) {
        printf("refused %u %u\n", major, minor);
        fflush(stdout);
        return;
    }
    if (token->length) print_base64("token", token);
    if (!(major & GSS_S_CONTINUE_NEEDED)) {
        printf("established\n");
        fflush(stdout);
    }
}

int main(int argc, char **argv) {
    if (argc < 2) return 64;
    int accepts = strcmp(argv[1], "accept") == 0;
    char *line = NULL;
    size_t room = 0;
    OM_uint32 major, minor;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
    gss_name_t target = GSS_C_NO_NAME;
    load();
    if (!accepts) {
        if (argc < 3 || getline(&line, &room, stdin) < 0) return 64;
        line[strcspn(line, "\r\n")] = 0;
        gss_buffer_desc user = {strlen(argv[2]), argv[2]}, password = {strlen(line), line};
        gss_buffer_desc service = {14, "sip@hs.example"};
        gss_name_t name;
        gss_OID_set_desc mechs = {1, &ntlm};
        major = import_name(&minor, &user, &user_name, &name);
        if (!GSS_ERROR(major))
            major = cred_with_password(&minor, name, &password, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE,
                                       &cred, NULL, NULL);
        if (!GSS_ERROR(major)) major = import_name(&minor, &service, &service_name, &target);
        if (GSS_ERROR(major)) {
            fprintf(stderr, "no credentials: %u %u\n", major, minor);
            return 2;
        }
    }
    while (getline(&line, &room, stdin) >= 0) {
        line[strcspn(line, "\r\n")] = 0;
        char *word = strtok(line, " "), *first = strtok(NULL, " "), *second = strtok(NULL, " ");
        if (!word) continue;
        gss_buffer_desc in = from_base64(first ? first : ""), out = {0, NULL};
        if (!strcmp(word, "challenge") || (accepts && !strcmp(word, "token"))) {
            major = accept_context(&minor, &context, cred, &in, GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, &out,
                                   NULL, NULL, NULL);
            report(major, minor, &out);
        } else if (!strcmp(word, "token")) {
            gss_buffer_desc none = {0, NULL};
            OM_uint32 flags = GSS_C_INTEG_FLAG | DATAGRAM_FLAG | IDENTIFY_FLAG;
            if (context == GSS_C_NO_CONTEXT) {
                major = start_context(&minor, cred, &context, target, &ntlm, flags, 0, NULL, &none, NULL, &out,
                                      NULL, NULL);
                if (GSS_ERROR(major) || out.length) {
                    fprintf(stderr, "the first token is not empty (%u %u)\n", major, minor);
                    return 2;
                }
            }
            major = start_context(&minor, cred, &context, target, &ntlm, flags, 0, NULL, &in, NULL, &out, NULL,
                                  NULL);
            report(major, minor, &out);
        } else if (!strcmp(word, "sign")) {
            sequence_100(&context);
            major = get_mic(&minor, context, GSS_C_QOP_DEFAULT, &in, &out);
            if (GSS_ERROR(major))
                report(major, minor, &out);
            else
                print_base64("mic", &out);
        } else if (!strcmp(word, "verify")) {
            gss_buffer_desc mic = from_base64(second ? second : "");
            sequence_100(&context);
            major = verify_mic(&minor, context, &in, &mic, NULL);
            printf(GSS_ERROR(major) ? "bad\n" : "good\n");
            fflush(stdout);
            free(mic.value);
        }
        free(in.value);
    }
    free(line);
    return 0;
}
