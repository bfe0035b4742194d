/* The floors: what any client must pay for a query's answer over a Unix socket.
 *
 *   drain SOCKET_FILE USER DATABASE MODE COUNT SQL
 *
 * MODE drain   runs SQL COUNT times and discards the rows,
 *      decode  also decodes them into column buffers while receiving (decode.h),
 *      point   binds one int4 parameter in 1..1000000 and runs SQL COUNT times,
 *      copy    sends standard input, read beforehand, as the rows of SQL, a COPY ... FROM STDIN,
 *              COUNT bytes at a time.
 * Extended protocol, binary results, trust authentication. One line of JSON on
 * standard output: wall and cpu in seconds, rss_mb above the start, rows, bytes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>

static void die(const char *what) {
    fprintf(stderr, "drain: %s (%s)\n", what, strerror(errno));
    exit(1);
}

#include "decode.h"

static int sock;
static uint8_t *input;
static size_t filled, room = 256 * 1024;
static uint64_t rows, bytes;
static int decoding, gathering;

static uint8_t out[64 * 1024];
static size_t out_len, message_at;

static void put(const void *data, size_t n) {
    if (out_len + n > sizeof out) die("request too long");
    memcpy(out + out_len, data, n);
    out_len += n;
}
static void put16(uint16_t v) { v = __builtin_bswap16(v); put(&v, 2); }
static void put32(uint32_t v) { v = __builtin_bswap32(v); put(&v, 4); }
static void put_text(const char *s) { put(s, strlen(s) + 1); }
static void begin(char tag) {
    if (tag) put(&tag, 1);
    message_at = out_len;
    put32(0);
}
static void end(void) {
    uint32_t n = __builtin_bswap32((uint32_t)(out_len - message_at));
    memcpy(out + message_at, &n, 4);
}
static void flush_out(void) {
    for (size_t sent = 0; sent < out_len;) {
        ssize_t n = send(sock, out + sent, out_len - sent, 0);
        if (n <= 0) die("send");
        sent += (size_t)n;
    }
    out_len = 0;
}

/* Reads messages up to and including ReadyForQuery. `gathering` sleeps a moment where it has drained
   the socket in a long answer, so that it is not woken for every 8 KiB: the cheapest way there is. */
static void until_ready(void) {
    const struct timespec nap = {.tv_nsec = 200 * 1000};
    size_t received = 0;
    for (;;) {
        ssize_t got = recv(sock, input + filled, room - filled, 0);
        if (got <= 0) die("recv");
        int drained = (size_t)got < room - filled;
        filled += (size_t)got;
        bytes += (uint64_t)got;
        received += (size_t)got;
        size_t at = 0;
        while (filled - at >= 5) {
            uint32_t length = be32(input + at + 1);
            size_t whole = 1 + (size_t)length;
            if (filled - at < whole) {
                if (whole > room && !(input = realloc(input, room = 2 * whole))) die("memory");
                break;
            }
            const uint8_t *body = input + at + 5;
            switch (input[at]) {
            case 'D':
                rows++;
                if (decoding) decode_row(body);
                break;
            case 'T': describe(body); break;
            case 'E': fprintf(stderr, "drain: server: %.*s\n", (int)length - 4, body); exit(1);
            case 'R': if (be32(body) != 0) die("only trust authentication"); break;
            case 'G': filled = 0; return; /* it waits for rows */
            case 'Z':
                if (at + whole != filled) die("bytes after ReadyForQuery");
                filled = 0;
                return;
            }
            at += whole;
        }
        memmove(input, input + at, filled - at);
        filled -= at;
        if (gathering && drained && received > 64 * 1024) nanosleep(&nap, NULL);
    }
}

static void execute(const int32_t *key) {
    begin('B'), put_text(""), put_text("s");
    if (key) put16(1), put16(1), put16(1), put32(4), put32((uint32_t)*key);
    else put16(0), put16(0);
    put16(1), put16(1), end();
    begin('E'), put_text(""), put32(0), end();
    begin('S'), end();
    flush_out();
    until_ready();
}

/* The rows of a COPY, as they are. */
static void copy_rows(const uint8_t *data, size_t n, size_t chunk) {
    for (size_t at = 0; at < n; at += chunk) {
        size_t part = n - at < chunk ? n - at : chunk;
        uint8_t head[5] = {'d'};
        uint32_t length = __builtin_bswap32((uint32_t)part + 4);
        memcpy(head + 1, &length, 4);
        struct iovec parts[2] = {{head, 5}, {(void *)(data + at), part}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        if (sendmsg(sock, &message, 0) != (ssize_t)(part + 5)) die("send");
    }
    begin('c'), end();
    flush_out();
    until_ready();
}

static uint8_t *read_all(FILE *file, size_t *n) {
    size_t space = 1 << 20, got;
    uint8_t *data = malloc(space);
    for (*n = 0; data && (got = fread(data + *n, 1, space - *n, file)); *n += got)
        if (*n + got == space) data = realloc(data, space *= 2);
    if (!data) die("memory");
    return data;
}

static double wall_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static double cpu_now(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}
static double peak_mb(void) {
    char line[256];
    double kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %lf", &kb) == 1) break;
    if (f) fclose(f);
    return kb / 1024;
}

int main(int argc, char **argv) {
    if (argc != 7) die("usage: drain SOCKET_FILE USER DATABASE drain|gather|decode|point|copy COUNT SQL");
    int point = !strcmp(argv[4], "point");
    long count = atol(argv[5]);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(argv[1]) >= sizeof address.sun_path) die("socket path too long");
    strcpy(address.sun_path, argv[1]);
    sock = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(sock, (struct sockaddr *)&address, sizeof address)) die("connect");
    if (!(input = malloc(room))) die("memory");

    begin(0), put32(196608), put_text("user"), put_text(argv[2]);
    put_text("database"), put_text(argv[3]), put("", 1), end();
    flush_out();
    until_ready();
    if (!strcmp(argv[4], "copy")) {
        size_t n;
        uint8_t *data = read_all(stdin, &n);
        double cpu = cpu_now(), wall = wall_now();
        begin('Q'), put_text(argv[6]), end();
        flush_out();
        until_ready();
        copy_rows(data, n, (size_t)count);
        wall = wall_now() - wall, cpu = cpu_now() - cpu;
        printf("{\"wall\": %.6f, \"cpu\": %.6f, \"rss_mb\": 0, \"bytes\": %zu}\n", wall, cpu, n);
        return 0;
    }
    begin('P'), put_text("s"), put_text(argv[6]), put16(0), end();
    begin('D'), put("S", 1), put_text("s"), end();
    begin('S'), end();
    flush_out();
    until_ready();

    decoding = !strcmp(argv[4], "decode");
    gathering = !strcmp(argv[4], "gather");
    rows = bytes = 0;
    uint32_t random_state = 1;
    double rss = peak_mb(), cpu = cpu_now(), wall = wall_now();
    for (long i = 0; i < count; i++) {
        random_state = random_state * 1664525u + 1013904223u;
        int32_t key = 1 + (int32_t)((random_state >> 8) % 1000000u);
        if (decoding) reset_columns();
        execute(point ? &key : NULL);
    }
    wall = wall_now() - wall, cpu = cpu_now() - cpu, rss = peak_mb() - rss;
    printf("{\"wall\": %.6f, \"cpu\": %.6f, \"rss_mb\": %.1f, \"after_ms\": 0, \"rows\": %llu, \"bytes\": %llu}\n",
           wall, cpu, rss, (unsigned long long)rows, (unsigned long long)bytes);
    return 0;
}
