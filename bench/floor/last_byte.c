/* Preloaded into a measured client: remembers when bytes last came from a socket,
 * so that "after the last byte" is seen from outside and alike for every client.
 * Reads of 8 bytes or fewer are wake-ups of event loops, not answers. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t last;

/* CLOCK_MONOTONIC in nanoseconds, the clock of time.perf_counter_ns; 0 if nothing came. */
int64_t rowmill_bench_last_byte(void) { return last; }

static void note(ssize_t n) {
    struct timespec t;
    if (n <= 8) return;
    clock_gettime(CLOCK_MONOTONIC, &t);
    last = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
static int is_socket(int fd) {
    struct stat s;
    return fstat(fd, &s) == 0 && S_ISSOCK(s.st_mode);
}

#define REAL(name)                                  \
    static __typeof__(&name) real;                  \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name);

ssize_t recv(int fd, void *data, size_t size, int flags) {
    REAL(recv)
    ssize_t n = real(fd, data, size, flags);
    note(n);
    return n;
}
ssize_t recvfrom(int fd, void *restrict data, size_t size, int flags, struct sockaddr *restrict from, socklen_t *restrict length) {
    REAL(recvfrom)
    ssize_t n = real(fd, data, size, flags, from, length);
    note(n);
    return n;
}
ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    REAL(recvmsg)
    ssize_t n = real(fd, message, flags);
    note(n);
    return n;
}
ssize_t read(int fd, void *data, size_t size) {
    REAL(read)
    ssize_t n = real(fd, data, size);
    if (n > 8 && is_socket(fd)) note(n);
    return n;
}
ssize_t readv(int fd, const struct iovec *parts, int count) {
    REAL(readv)
    ssize_t n = real(fd, parts, count);
    if (n > 8 && is_socket(fd)) note(n);
    return n;
}
