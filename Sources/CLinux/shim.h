// What Swift's Glibc module leaves out of the Linux interfaces we stand on. No _GNU_SOURCE here: it would give
// the types shared with Glibc a second shape; the GNU functions we call are declared by hand.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <spawn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

extern int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
extern int pipe2(int ends[2], int flags);
extern pid_t gettid(void);
extern void *memmem(const void *haystack, size_t length, const void *needle, size_t needle_length);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
extern int syncfs(int descriptor);
