/* Loaded before the C library: writes and syncs fail while a file says so. Only for files of a name that holds ".sqlite". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int wanted(const char *fault)
{
    char said[64] = "";
    const char *path = getenv("FAULTS");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (file) {
        if (!fgets(said, sizeof said, file))
            said[0] = 0;
        fclose(file);
    }
    return strstr(said, fault) != NULL;
}

static int ours(int fd)
{
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof name - 1);
    if (length < 0)
        return 0;
    name[length] = 0;
    return strstr(name, ".sqlite") != NULL;
}

#define REAL(name, type) static type real; if (!real) real = (type)dlsym(RTLD_NEXT, name)

typedef ssize_t (*pwrite_t)(int, const void *, size_t, off64_t);
typedef ssize_t (*write_t)(int, const void *, size_t);
typedef int (*sync_t)(int);

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    REAL("pwrite64", pwrite_t);
    if (wanted("space") && ours(fd)) { errno = ENOSPC; return -1; }
    if (wanted("write") && ours(fd)) { errno = EIO; return -1; }
    return real(fd, data, size, at);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }

ssize_t write(int fd, const void *data, size_t size)
{
    REAL("write", write_t);
    if (wanted("space") && ours(fd)) { errno = ENOSPC; return -1; }
    return real(fd, data, size);
}

int fsync(int fd)
{
    REAL("fsync", sync_t);
    if (wanted("sync") && ours(fd)) { errno = EIO; return -1; }
    return real(fd);
}

int fdatasync(int fd)
{
    REAL("fdatasync", sync_t);
    if (wanted("sync") && ours(fd)) { errno = EIO; return -1; }
    return real(fd);
}
