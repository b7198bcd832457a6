/* The epoll loop that one would write by hand in C: one receive buffer for all connections, a receive that
 * came back short is not repeated, an answer is sent at once from where it was received.
 *
 *   --trigger edge|level   how the descriptors are watched
 */
#define _GNU_SOURCE
#include "bench_common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct end {
    int fd;
    bool open;
    struct bench_state* client; /* null in a server's end */
    char* rest;                 /* what a full socket refused; null in steady state */
    size_t rest_bytes;
};

struct loop {
    struct bench_run* run;
    int epoll;
    bool edge;
    int open;
};

static bool option(void* settings, const char* name, const char* value) {
    bool* edge = settings;
    *edge = strcmp(value, "edge") == 0;
    return strcmp(name, "--trigger") == 0 && (*edge || strcmp(value, "level") == 0);
}

static void watch(struct loop* loop, struct end* end, int how) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = end};
    if (loop->edge) {
        event.events |= EPOLLET | EPOLLOUT;
    } else if (end->rest) {
        event.events |= EPOLLOUT;
    }
    if (epoll_ctl(loop->epoll, how, end->fd, &event) != 0) {
        bench_fail("epoll_ctl");
    }
}

static void close_end(struct loop* loop, struct end* end) {
    if (end->client && !loop->run->done) {
        errno = 0;
        bench_fail("the server went away");
    }
    close(end->fd);
    end->open = false;
    --loop->open;
}

/* What the socket does not take is kept until it is writable again. */
static void send_out(struct loop* loop, struct end* end, const char* data, size_t bytes) {
    if (!end->rest) {
        const ssize_t sent = send(end->fd, data, bytes, MSG_NOSIGNAL);
        if (sent == (ssize_t)bytes) {
            return;
        }
        if (sent < 0 && errno != EAGAIN) {
            close_end(loop, end);
            return;
        }
        data += sent > 0 ? sent : 0;
        bytes -= sent > 0 ? (size_t)sent : 0;
        end->rest = malloc(2 * bench_window_bytes);
        end->rest_bytes = 0;
        if (!loop->edge) {
            watch(loop, end, EPOLL_CTL_MOD);
        }
    }
    memcpy(end->rest + end->rest_bytes, data, bytes);
    end->rest_bytes += bytes;
}

static void on_writable(struct loop* loop, struct end* end) {
    char* data = end->rest;
    const size_t bytes = end->rest_bytes;
    end->rest = NULL;
    if (!loop->edge) {
        watch(loop, end, EPOLL_CTL_MOD);
    }
    send_out(loop, end, data, bytes);
    free(data);
}

static void on_readable(struct loop* loop, struct end* end) {
    char buffer[bench_window_bytes + bench_message_bytes];
    for (;;) {
        const ssize_t got = recv(end->fd, buffer, sizeof buffer, 0);
        if (got < 0 && errno == EAGAIN) {
            return;
        }
        if (got <= 0) {
            close_end(loop, end);
            return;
        }
        const size_t due = bench_answer(loop->run, end->client, buffer, (size_t)got, buffer);
        if (due > 0 && !loop->run->done) {
            send_out(loop, end, buffer, due);
        }
        if ((size_t)got < sizeof buffer || !end->open) {
            return;
        }
    }
}

static struct end* add(struct loop* loop, int fd, bool client) {
    struct end* end = calloc(1, sizeof *end);
    end->fd = fd;
    end->open = true;
    end->client = client ? calloc(1, sizeof *end->client) : NULL;
    ++loop->open;
    watch(loop, end, EPOLL_CTL_ADD);
    return end;
}

static void turn(struct loop* loop) {
    struct epoll_event events[256];
    const int count = epoll_wait(loop->epoll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
        struct end* end = events[i].data.ptr;
        if ((events[i].events & EPOLLOUT) && end->rest) {
            on_writable(loop, end);
        }
        if (end->open && (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))) {
            on_readable(loop, end);
        }
    }
}

static void contest(struct bench_run* run, const void* settings) {
    const struct bench_options* options = &run->options;
    if (options->scenario == bench_stream) {
        errno = 0;
        bench_fail("the stream's rival is rival_blocking");
    }
    struct loop loop = {.run = run, .epoll = epoll_create1(EPOLL_CLOEXEC), .edge = *(const bool*)settings};
    int* fds = calloc((size_t)options->connections, sizeof *fds);
    struct end** ends = calloc((size_t)options->connections, sizeof *ends);
    bench_connect(run, fds, true);
    bench_start(run);
    for (int i = 0; i < options->connections; ++i) {
        ends[i] = add(&loop, fds[i], options->role == bench_client);
        if (options->role == bench_client && bench_is_busy(run, i)) {
            char first[bench_window_bytes];
            send_out(&loop, ends[i], first,
                     bench_fill(run, ends[i]->client, first, (size_t)options->in_flight));
        }
    }
    while (!run->done && loop.open > 0) {
        turn(&loop);
    }
    for (int i = 0; i < options->connections; ++i) {
        if (ends[i]->open) {
            close_end(&loop, ends[i]);
        }
    }
}

int main(int argc, char** argv) {
    bool edge = true;
    return bench_main(argc, argv, option, &edge, contest);
}
