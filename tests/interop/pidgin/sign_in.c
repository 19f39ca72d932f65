/* pidgin-sipe without a window: signs one account in, stays, signs out, and says what happened.
 *
 *   sign_in FOLDER user@domain 'DOMAIN\login' HOST:PORT tls|tcp SECONDS [CA.pem]
 *
 * The password is the first line of the input. Every host name is resolved to 127.0.0.1, because the
 * estate under test listens there and nowhere else. Lines out:
 *
 *   connecting | signed-on | error CODE TEXT | signing-off | done
 *
 * SECONDS after signing on the account signs out; `quit` on the input signs out at once.
 */
#include <arpa/inet.h>
#include <glib.h>
#include <netinet/in.h>
#include <purple.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    PurpleInputFunction function;
    guint result;
    gpointer data;
} Watch;

static GMainLoop *loop;
static PurpleAccount *account;
static int stay;
static int exit_code = 1;

static gboolean watched(GIOChannel *source, GIOCondition condition, gpointer data) {
    Watch *watch = data;
    PurpleInputCondition ready = 0;
    if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR)) ready |= PURPLE_INPUT_READ;
    if (condition & (G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL)) ready |= PURPLE_INPUT_WRITE;
    watch->function(watch->data, g_io_channel_unix_get_fd(source), ready);
    return TRUE;
}

static guint add_watch(gint fd, PurpleInputCondition condition, PurpleInputFunction function, gpointer data) {
    Watch *watch = g_new0(Watch, 1);
    GIOCondition wanted = 0;
    watch->function = function;
    watch->data = data;
    if (condition & PURPLE_INPUT_READ) wanted |= G_IO_IN | G_IO_HUP | G_IO_ERR;
    if (condition & PURPLE_INPUT_WRITE) wanted |= G_IO_OUT | G_IO_HUP | G_IO_ERR | G_IO_NVAL;
    GIOChannel *channel = g_io_channel_unix_new(fd);
    watch->result = g_io_add_watch_full(channel, G_PRIORITY_DEFAULT, wanted, watched, watch, g_free);
    g_io_channel_unref(channel);
    return watch->result;
}

static PurpleEventLoopUiOps event_loop = {
    g_timeout_add, g_source_remove, add_watch, g_source_remove, NULL, g_timeout_add_seconds, NULL, NULL, NULL,
};

static PurpleCoreUiOps core_ops = {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};

/* Answers every name with the loopback address. */
static gboolean resolve(PurpleDnsQueryData *query, PurpleDnsQueryResolvedCallback resolved,
                        PurpleDnsQueryFailedCallback failed) {
    (void)failed;
    struct sockaddr_in *address = g_new0(struct sockaddr_in, 1);
    address->sin_family = AF_INET;
    address->sin_port = htons(purple_dnsquery_get_port(query));
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    GSList *hosts = g_slist_append(NULL, GINT_TO_POINTER(sizeof *address));
    hosts = g_slist_append(hosts, address);
    resolved(query, hosts);
    return TRUE;
}

static void forget(PurpleDnsQueryData *query) { (void)query; }

static PurpleDnsQueryUiOps dns_ops = {resolve, forget, NULL, NULL, NULL, NULL};

static void say(const char *text) {
    puts(text);
    fflush(stdout);
}

static gboolean finish(gpointer data) {
    (void)data;
    say("done");
    g_main_loop_quit(loop);
    return FALSE;
}

static gboolean sign_off(gpointer data) {
    (void)data;
    say("signing-off");
    exit_code = 0;
    purple_account_set_enabled(account, "homing-proof", FALSE);
    g_timeout_add(1500, finish, NULL);
    return FALSE;
}

static void signed_on(PurpleConnection *connection, gpointer data) {
    (void)connection;
    (void)data;
    say("signed-on");
    g_timeout_add(stay * 1000, sign_off, NULL);
}

static void failed(PurpleConnection *connection, PurpleConnectionError error, const char *text, gpointer data) {
    (void)connection;
    (void)data;
    printf("error %d %s\n", error, text ? text : "");
    fflush(stdout);
    exit_code = 2;
    g_timeout_add(500, finish, NULL);
}

static gboolean said(GIOChannel *source, GIOCondition condition, gpointer data) {
    char line[64];
    (void)source;
    (void)data;
    if (condition & G_IO_IN && fgets(line, sizeof line, stdin) && !strncmp(line, "quit", 4)) sign_off(NULL);
    return !(condition & G_IO_HUP);
}

static void *request_action(const char *title, const char *primary, const char *secondary, int fallback,
                            PurpleAccount *whose, const char *who, PurpleConversation *conversation,
                            void *user_data, size_t count, va_list actions) {
    (void)title, (void)secondary, (void)fallback, (void)whose, (void)who, (void)conversation;
    (void)user_data, (void)count, (void)actions;
    /* Never answered: a certificate question must not arise, because the estate's root is trusted. */
    printf("question %s\n", primary ? primary : "");
    fflush(stdout);
    return NULL;
}

static PurpleRequestUiOps request_ops = {.request_action = request_action};

static void trust(const char *file) {
    PurpleCertificateScheme *x509 = purple_certificate_find_scheme("x509");
    PurpleCertificatePool *roots = purple_certificate_find_pool("x509", "ca");
    PurpleCertificate *root = x509 ? purple_certificate_import(x509, file) : NULL;
    if (!root || !roots || !purple_certificate_pool_store(roots, "homing-estate", root))
        say("question the estate's root certificate could not be stored");
}

static void timed(PurpleDebugLevel level, const char *category, const char *text) {
    (void)level;
    fprintf(stderr, "%s: %s", category ? category : "", text);
}

static PurpleDebugUiOps debug_ops = {timed, NULL, NULL, NULL, NULL, NULL};

static void start_purple(const char *folder) {
    purple_util_set_user_dir(folder);
    purple_debug_set_enabled(FALSE);
    if (getenv("HOMING_VERBOSE")) purple_debug_set_ui_ops(&debug_ops);
    purple_core_set_ui_ops(&core_ops);
    purple_eventloop_set_ui_ops(&event_loop);
    purple_dnsquery_set_ui_ops(&dns_ops);
    purple_request_set_ui_ops(&request_ops);
    purple_plugins_add_search_path("/usr/lib/purple-2");
    if (!purple_core_init("homing-proof")) {
        say("error 0 libpurple does not start");
        exit(3);
    }
    purple_set_blist(purple_blist_new());
    purple_prefs_load();
    purple_prefs_set_bool("/purple/away/away_when_idle", FALSE);
}

int main(int argc, char **argv) {
    char password[256], name[512];
    if (argc < 7 || !fgets(password, sizeof password, stdin)) return 64;
    password[strcspn(password, "\r\n")] = 0;
    stay = atoi(argv[6]);
    loop = g_main_loop_new(NULL, FALSE);
    start_purple(argv[1]);
    if (argc > 7) trust(argv[7]);

    snprintf(name, sizeof name, "%s,%s", argv[2], argv[3]);
    account = purple_account_new(name, "prpl-sipe");
    purple_accounts_add(account);
    purple_account_set_password(account, password);
    purple_account_set_string(account, "server", argv[4]);
    purple_account_set_string(account, "transport", argv[5]);
    purple_account_set_string(account, "authentication", "ntlm");
    purple_account_set_bool(account, "sso", FALSE);
    purple_account_set_bool(account, "dont-publish", TRUE);

    static int handle;
    void *connections = purple_connections_get_handle();
    purple_signal_connect(connections, "signed-on", &handle, PURPLE_CALLBACK(signed_on), NULL);
    purple_signal_connect(connections, "connection-error", &handle, PURPLE_CALLBACK(failed), NULL);

    GIOChannel *input = g_io_channel_unix_new(STDIN_FILENO);
    g_io_add_watch(input, G_IO_IN | G_IO_HUP, said, NULL);
    say("connecting");
    purple_savedstatus_activate(purple_savedstatus_new(NULL, PURPLE_STATUS_AVAILABLE));
    purple_account_set_enabled(account, "homing-proof", TRUE);
    g_main_loop_run(loop);
    return exit_code;
}
