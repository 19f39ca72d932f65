/* Times how long sofia-sip and osip2 take to parse, and to parse and print, one message file.
 *
 * usage: peer_parse FILE...
 * prints: peer  file  operation  nanoseconds (the least of many short batches)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <osipparser2/osip_parser.h>
#undef SP
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_alloc.h>

enum { BATCHES = 2000, ROUNDS = 50 };

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void report(const char *peer, const char *file, const char *what, double *batch) {
  qsort(batch, BATCHES, sizeof *batch, by_value);
  const char *name = strrchr(file, '/');
  printf("%-10s %-14s %-16s %8.0f ns\n", peer, name ? name + 1 : file, what, batch[0]);
}

static int osip_once(const char *text, size_t length, int print) {
  osip_message_t *message;
  if (osip_message_init(&message) != 0) return -1;
  int bad = osip_message_parse(message, text, length);
  if (!bad && print) {
    char *out = NULL;
    size_t size = 0;
    osip_message_force_update(message);
    bad = osip_message_to_str(message, &out, &size);
    osip_free(out);
  }
  osip_message_free(message);
  return bad;
}

static int sofia_once(const char *text, size_t length, int print) {
  msg_t *msg = msg_make(sip_default_mclass(), 0, text, (ssize_t)length);
  if (!msg) return -1;
  sip_t *sip = sip_object(msg);
  int bad = !sip || sip->sip_error || !sip->sip_via || !sip->sip_cseq;
  if (!bad && print) {
    char out[4096];
    bad = sip_object(msg) == NULL || msg_object_e(out, sizeof out, msg_object(msg), 0) <= 0;
  }
  msg_destroy(msg);
  return bad;
}

static int run(const char *peer, int (*once)(const char *, size_t, int), const char *file, const char *text,
               size_t length) {
  for (int print = 0; print < 2; print++) {
    double batch[BATCHES];
    for (int b = 0; b < BATCHES; b++) {
      double start = now_ns();
      for (int i = 0; i < ROUNDS; i++)
        if (once(text, length, print)) {
          fprintf(stderr, "%s does not take %s\n", peer, file);
          return 1;
        }
      batch[b] = (now_ns() - start) / ROUNDS;
    }
    report(peer, file, print ? "parse and print" : "parse", batch);
  }
  return 0;
}

int main(int argc, char **argv) {
  int bad = 0;
  parser_init();
  for (int i = 1; i < argc; i++) {
    FILE *in = fopen(argv[i], "rb");
    static char text[65536];
    if (!in) {
      perror(argv[i]);
      return 2;
    }
    size_t length = fread(text, 1, sizeof text - 1, in);
    text[length] = 0;
    fclose(in);
    bad |= run("sofia-sip", sofia_once, argv[i], text, length);
    bad |= run("osip2", osip_once, argv[i], text, length);
  }
  return bad;
}
