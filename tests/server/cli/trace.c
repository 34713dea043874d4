/* Preloaded into a process and its children: writes down, a line each, whom they talk to and what they write.

   A line is what was done, the mode of a new file or 0, and an address, a name or an absolute path.
   What native libraries do through the C library is seen, too; LOG is set when this is compiled. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void note(const char *what, int folder, const char *path, int mode) {
    static __typeof__(&openat) open_file;
    int before = errno;
    char base[PATH_MAX] = "", link[40], line[2 * PATH_MAX + 64];
    if (folder >= 0 && path[0] != '/') {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        if (readlink(link, base, sizeof base - 1) < 0) base[0] = 0;
    } else if (folder == AT_FDCWD && path[0] != '/' && !getcwd(base, sizeof base))
        base[0] = 0;
    int length = snprintf(line, sizeof line, "%s %o %s%s%s\n", what, mode, base, *base ? "/" : "", path);
    if (!open_file) open_file = NEXT(openat);
    int file = open_file(AT_FDCWD, LOG, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (write(file, line, length) != length) abort();
    close(file);
    errno = before;
}

static void note_address(const char *what, const struct sockaddr *address) {
    char text[64];
    if (!address || address->sa_family == AF_UNIX || address->sa_family == AF_UNSPEC) return;
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof text);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, sizeof text);
    else
        snprintf(text, sizeof text, "family-%d", address->sa_family);
    note(what, -1, text, 0);
}

int connect(int socket, const struct sockaddr *address, socklen_t length) {
    note_address("connect", address);
    return NEXT(connect)(socket, address, length);
}

int bind(int socket, const struct sockaddr *address, socklen_t length) {
    note_address("bind", address);
    return NEXT(bind)(socket, address, length);
}

ssize_t sendto(int socket, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t length) {
    note_address("send", address);
    return NEXT(sendto)(socket, data, size, flags, address, length);
}

ssize_t sendmsg(int socket, const struct msghdr *message, int flags) {
    note_address("send", message->msg_name);
    return NEXT(sendmsg)(socket, message, flags);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    if (name) note("look-up", -1, name, 0);
    return NEXT(getaddrinfo)(name, service, hints, found);
}

struct hostent *gethostbyname(const char *name) {
    note("look-up", -1, name, 0);
    return NEXT(gethostbyname)(name);
}

#define WRITES(flags) ((flags) & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC))

#define OPEN(name)                                                                                                    \
    int name(const char *path, int flags, ...) {                                                                      \
        va_list rest;                                                                                                 \
        va_start(rest, flags);                                                                                        \
        int mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, int) : 0;                                            \
        va_end(rest);                                                                                                 \
        if (WRITES(flags)) note("write", AT_FDCWD, path, mode);                                                       \
        return NEXT(name)(path, flags, mode);                                                                         \
    }

#define OPEN_AT(name)                                                                                                 \
    int name(int folder, const char *path, int flags, ...) {                                                          \
        va_list rest;                                                                                                 \
        va_start(rest, flags);                                                                                        \
        int mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, int) : 0;                                            \
        va_end(rest);                                                                                                 \
        if (WRITES(flags)) note("write", folder, path, mode);                                                         \
        return NEXT(name)(folder, path, flags, mode);                                                                 \
    }

#define OPEN_CHECKED(name)                                                                                            \
    int name(const char *path, int flags);                                                                            \
    int name(const char *path, int flags) {                                                                           \
        if (WRITES(flags)) note("write", AT_FDCWD, path, 0);                                                          \
        return NEXT(name)(path, flags);                                                                               \
    }

#define OPEN_STREAM(name)                                                                                             \
    FILE *name(const char *path, const char *mode) {                                                                  \
        if (strpbrk(mode, "wa+")) note("write", AT_FDCWD, path, 0666);                                                \
        return NEXT(name)(path, mode);                                                                                \
    }

#define TEMPORARY(name)                                                                                               \
    int name(char *pattern) {                                                                                         \
        note("write", AT_FDCWD, pattern, 0600);                                                                       \
        return NEXT(name)(pattern);                                                                                   \
    }

#define CHANGE(name, parameters, arguments, folder, path, mode)                                                       \
    int name parameters {                                                                                             \
        note(#name, folder, path, mode);                                                                              \
        return NEXT(name) arguments;                                                                                  \
    }

OPEN(open)
OPEN(open64)
OPEN_AT(openat)
OPEN_AT(openat64)
OPEN_CHECKED(__open_2)
OPEN_CHECKED(__open64_2)
OPEN_STREAM(fopen)
OPEN_STREAM(fopen64)
TEMPORARY(mkstemp)
TEMPORARY(mkstemp64)
CHANGE(mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path, mode)
CHANGE(mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode), folder, path, mode)
CHANGE(rename, (const char *from, const char *to), (from, to), AT_FDCWD, to, 0)
CHANGE(renameat, (int one, const char *from, int other, const char *to), (one, from, other, to), other, to, 0)
CHANGE(unlink, (const char *path), (path), AT_FDCWD, path, 0)
CHANGE(unlinkat, (int folder, const char *path, int flags), (folder, path, flags), folder, path, 0)
CHANGE(symlink, (const char *target, const char *path), (target, path), AT_FDCWD, path, 0)
CHANGE(shm_open, (const char *path, int flags, mode_t mode), (path, flags, mode), AT_FDCWD, path, mode)
