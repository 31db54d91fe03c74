/* Counts and fails the writes, syncs, renames and unlinks of a process below a folder. Loaded by LD_PRELOAD.

   fault_arm(prefix, at, error, sticky): the operation number `at` (from 1) fails with `error`; with `sticky`, so do all
   later ones, as if the machine had stopped. With at = 0, operations are only counted and logged.
   fault_stash(folder): keep a link of each file that a rename or unlink removes, named by the number of the operation.
   The variables FAULT_PREFIX, FAULT_AT, FAULT_ERRNO and FAULT_COUNT_FILE do the same for a whole program. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char prefix[PATH_MAX], stash[PATH_MAX];
static long at, count;
static int error_number, sticky, armed;
static char *log_text;
static size_t log_size, log_room;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void fault_arm(const char *folder, long number, int error, int is_sticky) {
    snprintf(prefix, sizeof prefix, "%s", folder);
    at = number; count = 0; error_number = error; sticky = is_sticky; armed = 1; log_size = 0;
}
void fault_disarm(void) { armed = 0; }
void fault_stash(const char *folder) { snprintf(stash, sizeof stash, "%s", folder); }
long fault_count(void) { return count; }
const char *fault_log(void) { return log_size ? log_text : ""; }

__attribute__((constructor)) static void arm_from_environment(void) {
    const char *folder = getenv("FAULT_PREFIX"), *number = getenv("FAULT_AT"), *error = getenv("FAULT_ERRNO");
    if (folder) fault_arm(folder, number ? atol(number) : 0, error ? atoi(error) : 0, 0);
}
__attribute__((destructor)) static void write_count(void) {
    const char *file = getenv("FAULT_COUNT_FILE");
    if (!file || !armed || !count) return; /* a child that did nothing */
    armed = 0;
    FILE *out = fopen(file, "w");
    if (out) { fprintf(out, "%ld", count); fclose(out); }
}
void _exit(int status) {
    write_count();
    REAL(_exit)(status);
    abort();
}

static void append_log(char kind, const char *path, const char *to, long long size) {
    size_t needed = strlen(path) + strlen(to) + 64;
    if (log_size + needed > log_room) {
        log_room = 2 * (log_room + needed);
        log_text = realloc(log_text, log_room);
    }
    log_size += sprintf(log_text + log_size, "%c\t%s\t%s\t%lld\n", kind, path, to, size);
}

static int is_watched(const char *path) { return armed && !strncmp(path, prefix, strlen(prefix)); }

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    path[size > 0 ? size : 0] = 0;
    return size > 0;
}

static void full_path(int folder, const char *name, char *path) {
    if (name[0] == '/') { snprintf(path, PATH_MAX, "%s", name); return; }
    char base[PATH_MAX];
    if (folder == AT_FDCWD) { if (!getcwd(base, sizeof base)) base[0] = 0; }
    else path_of(folder, base);
    if (snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) path[0] = 0;
}

/* 1 if this operation fails. */
static int fails(char kind, const char *path, const char *to) {
    pthread_mutex_lock(&lock);
    count++;
    int failing = at && (count == at || (sticky && count >= at));
    if (!failing) {
        const char *removed = kind == 'R' ? to : path;
        if (stash[0] && (kind == 'R' || kind == 'U')) {
            char kept[PATH_MAX + 32];
            snprintf(kept, sizeof kept, "%s/%ld", stash, count);
            if (linkat(AT_FDCWD, removed, AT_FDCWD, kept, 0)) { /* there was none, or it is a folder */ }
        }
        struct stat found;
        append_log(kind, path, to, stat(path, &found) ? -1 : (long long)found.st_size);
    }
    pthread_mutex_unlock(&lock);
    if (failing) errno = error_number;
    return failing;
}
static int fd_fails(char kind, int fd) {
    char path[PATH_MAX];
    int saved = errno, failing = armed && path_of(fd, path) && is_watched(path) && fails(kind, path, "");
    if (!failing) errno = saved;
    return failing;
}

ssize_t write(int fd, const void *data, size_t size) { return fd_fails('W', fd) ? -1 : REAL(write)(fd, data, size); }
ssize_t writev(int fd, const struct iovec *data, int size) {
    return fd_fails('W', fd) ? -1 : REAL(writev)(fd, data, size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t place) {
    return fd_fails('W', fd) ? -1 : REAL(pwrite)(fd, data, size, place);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t place) {
    return fd_fails('W', fd) ? -1 : REAL(pwrite64)(fd, data, size, place);
}
int fsync(int fd) { return fd_fails('S', fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fd_fails('S', fd) ? -1 : REAL(fdatasync)(fd); }

static int rename_fails(int from_folder, const char *from, int to_folder, const char *to) {
    char source[PATH_MAX], target[PATH_MAX];
    if (!armed) return 0;
    full_path(from_folder, from, source);
    full_path(to_folder, to, target);
    return (is_watched(source) || is_watched(target)) && fails('R', source, target);
}
int rename(const char *from, const char *to) {
    return rename_fails(AT_FDCWD, from, AT_FDCWD, to) ? -1 : REAL(rename)(from, to);
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    return rename_fails(from_folder, from, to_folder, to) ? -1 : REAL(renameat)(from_folder, from, to_folder, to);
}
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    return rename_fails(from_folder, from, to_folder, to)
        ? -1 : REAL(renameat2)(from_folder, from, to_folder, to, flags);
}
static int unlink_fails(int folder, const char *name) {
    char path[PATH_MAX];
    if (!armed) return 0;
    full_path(folder, name, path);
    return is_watched(path) && fails('U', path, "");
}
int unlink(const char *name) { return unlink_fails(AT_FDCWD, name) ? -1 : REAL(unlink)(name); }
int unlinkat(int folder, const char *name, int flags) {
    return unlink_fails(folder, name) ? -1 : REAL(unlinkat)(folder, name, flags);
}
