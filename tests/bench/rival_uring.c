/* The io_uring loop that one would write by hand in C with liburing; each technique can be put out, so that
 * what it is worth can be measured. The best of them is the default.
 *
 *   --recv multishot    one receive that stays armed (needs provided buffers)
 *          single       one receive at a time; the kernel tries at once, then polls
 *          pollfirst    the same, but the kernel polls without trying
 *          speculative  recv(MSG_DONTWAIT) by a system call until it would block, then `pollfirst`
 *   --buffers provided  a ring of buffers for all connections
 *             own       a buffer for each connection
 *   --send trick        an answer nobody waits for: MSG_DONTWAIT and CQE_SKIP_SUCCESS, so that it ends within
 * the submit; send and wait are one system call and one turn. Only a refusal has a completion. plain
 * MSG_WAITALL with a completion for each
 *   --direct yes|no     descriptors of the ring's own table (liburing 2.3's accept_direct with an allocated
 * slot overflows, so the slots are filled by register_files_update)
 *   --ring-fd yes|no    the ring's own descriptor registered
 *   --buffer-bytes N, --buffer-count N   of the provided ring
 */
#define _GNU_SOURCE
#include "bench_common.h"

#include <liburing.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { buffer_group = 1, out_bytes_max = 2 * bench_window_bytes };

enum receive { multishot, single, pollfirst, speculative };

/* The low bits of a completion's user data; the rest is the end's address. */
enum tag { tag_receive, tag_send, tag_mask = 1 };

struct end {
    int fd;
    int slot; /* what the ring calls the descriptor: fd, or its place in the direct table */
    bool open;
    bool dirty;                 /* stands in the list of ends with something to send */
    bool refused;               /* a send of this turn came back short */
    struct bench_state* client; /* null in a server's end */
    char* in;                   /* only with --buffers own */
    /* Two halves in turn: one is being filled, the other is being sent. Null until used. */
    char* filling;
    size_t filling_bytes;
    char* sending;
    size_t sending_bytes; /* 0: no send is on the way */
    size_t sent_bytes;
};

struct settings {
    enum receive receive;
    bool provided, trick, direct, ring_fd;
    unsigned buffer_bytes, buffer_count;
};

struct loop {
    struct bench_run* run;
    struct settings use;
    struct io_uring ring;
    struct io_uring_buf_ring* buffers;
    char* buffer_memory;
    int buffers_back; /* to be handed back at the end of the turn */
    int open;
    struct end** dirty;
    int dirty_count;
    struct end** sending; /* the trick's sends of this turn */
    int sending_count;
};

static bool option(void* context, const char* name, const char* value) {
    struct settings* use = context;
    if (strcmp(name, "--recv") == 0) {
        static const char* const names[] = {"multishot", "single", "pollfirst", "speculative"};
        for (int i = 0; i < 4; ++i) {
            if (strcmp(value, names[i]) == 0) {
                use->receive = (enum receive)i;
                return true;
            }
        }
        return false;
    }

    const struct {
        const char* name;
        const char* on;
        const char* off;
        bool* chosen;
    } choices[] = {{"--buffers", "provided", "own", &use->provided},
                   {"--send", "trick", "plain", &use->trick},
                   {"--direct", "yes", "no", &use->direct},
                   {"--ring-fd", "yes", "no", &use->ring_fd}};

    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; ++i) {
        if (strcmp(name, choices[i].name) == 0) {
            *choices[i].chosen = strcmp(value, choices[i].on) == 0;
            return *choices[i].chosen || strcmp(value, choices[i].off) == 0;
        }
    }
    unsigned* number = strcmp(name, "--buffer-bytes") == 0   ? &use->buffer_bytes
                       : strcmp(name, "--buffer-count") == 0 ? &use->buffer_count
                                                             : NULL;
    if (number) {
        *number = (unsigned)atoi(value);
    }
    return number && *number > 0;
}

static void open_ring(struct loop* loop) {
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                              IORING_SETUP_CQSIZE,
                                     .cq_entries = 16384};
    errno = -io_uring_queue_init_params(4096, &loop->ring, &params);
    if (errno != 0) {
        bench_fail("cannot open a ring");
    }
    if (loop->use.ring_fd) {
        io_uring_register_ring_fd(&loop->ring);
    }
    if (loop->use.direct) {
        errno = -io_uring_register_files_sparse(&loop->ring, (unsigned)loop->run->options.connections);
        if (errno != 0) {
            bench_fail("cannot register a table of files");
        }
    }
    if (!loop->use.provided) {
        return;
    }
    void* ring_memory = NULL;
    void* memory = NULL;
    if (posix_memalign(&ring_memory, 4096, loop->use.buffer_count * sizeof(struct io_uring_buf)) != 0 ||
        posix_memalign(&memory, 4096, (size_t)loop->use.buffer_count * loop->use.buffer_bytes) != 0) {
        bench_fail("no memory for buffers");
    }
    loop->buffers = ring_memory;
    loop->buffer_memory = memory;
    struct io_uring_buf_reg registration = {.ring_addr = (uint64_t)(uintptr_t)ring_memory,
                                            .ring_entries = loop->use.buffer_count,
                                            .bgid = buffer_group};
    errno = -io_uring_register_buf_ring(&loop->ring, &registration, 0);
    if (errno != 0) {
        bench_fail("cannot register a ring of buffers");
    }
    io_uring_buf_ring_init(loop->buffers);
    for (unsigned i = 0; i < loop->use.buffer_count; ++i) {
        io_uring_buf_ring_add(loop->buffers, loop->buffer_memory + (size_t)i * loop->use.buffer_bytes,
                              loop->use.buffer_bytes, (unsigned short)i,
                              io_uring_buf_ring_mask(loop->use.buffer_count), (int)i);
    }
    io_uring_buf_ring_advance(loop->buffers, (int)loop->use.buffer_count);
}

static struct io_uring_sqe* take_sqe(struct loop* loop) {
    struct io_uring_sqe* sqe = io_uring_get_sqe(&loop->ring);
    while (!sqe) {
        io_uring_submit(&loop->ring);
        sqe = io_uring_get_sqe(&loop->ring);
    }
    return sqe;
}

static void finish_sqe(struct loop* loop, struct io_uring_sqe* sqe, struct end* end, enum tag tag) {
    sqe->user_data = (uint64_t)(uintptr_t)end | tag;
    sqe->flags |= loop->use.direct ? IOSQE_FIXED_FILE : 0;
}

static void arm_receive(struct loop* loop, struct end* end) {
    struct io_uring_sqe* sqe = take_sqe(loop);
    if (loop->use.receive == multishot) {
        io_uring_prep_recv_multishot(sqe, end->slot, NULL, 0, 0);
    } else if (loop->use.provided) {
        io_uring_prep_recv(sqe, end->slot, NULL, loop->use.buffer_bytes, 0);
    } else {
        if (!end->in) {
            end->in = malloc(bench_window_bytes);
        }
        io_uring_prep_recv(sqe, end->slot, end->in, bench_window_bytes, 0);
    }
    if (loop->use.provided) {
        sqe->flags |= IOSQE_BUFFER_SELECT;
        sqe->buf_group = buffer_group;
    }
    if (loop->use.receive == pollfirst || loop->use.receive == speculative) {
        sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    }
    finish_sqe(loop, sqe, end, tag_receive);
}

static void close_end(struct loop* loop, struct end* end) {
    if (end->client && !loop->run->done) {
        errno = 0;
        bench_fail("the server went away");
    }
    if (end->open) {
        close(end->fd);
        end->open = false;
        --loop->open;
    }
}

/* --- sending: what a turn has to say to one peer goes out as one send at its end --- */

static void mark_dirty(struct loop* loop, struct end* end) {
    if (!end->dirty) {
        end->dirty = true;
        loop->dirty[loop->dirty_count++] = end;
    }
}

static char* room(struct end* end) {
    if (!end->filling) {
        end->filling = malloc(2 * out_bytes_max);
        end->sending = end->filling + out_bytes_max;
    }
    return end->filling + end->filling_bytes;
}

static void send_rest(struct loop* loop, struct end* end) {
    struct io_uring_sqe* sqe = take_sqe(loop);
    io_uring_prep_send(sqe, end->slot, end->sending + end->sent_bytes, end->sending_bytes - end->sent_bytes,
                       MSG_WAITALL | MSG_NOSIGNAL);
    finish_sqe(loop, sqe, end, tag_send);
}

static void flush(struct loop* loop) {
    for (int i = 0; i < loop->dirty_count; ++i) {
        struct end* end = loop->dirty[i];
        end->dirty = false;
        if (end->sending_bytes != 0 || end->filling_bytes == 0 || !end->open) {
            continue; /* one send at a time: its end will mark this again */
        }
        char* swap = end->sending;
        end->sending = end->filling;
        end->filling = swap;
        end->sending_bytes = end->filling_bytes;
        end->filling_bytes = 0;
        end->sent_bytes = 0;
        if (!loop->use.trick) {
            send_rest(loop, end);
            continue;
        }
        struct io_uring_sqe* sqe = take_sqe(loop);
        io_uring_prep_send(sqe, end->slot, end->sending, end->sending_bytes,
                           MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
        sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
        finish_sqe(loop, sqe, end, tag_send);
        loop->sending[loop->sending_count++] = end;
    }
    loop->dirty_count = 0;
}

static void send_ended(struct loop* loop, struct end* end) {
    end->sending_bytes = 0;
    if (end->filling_bytes != 0) {
        mark_dirty(loop, end);
    }
}

static void on_sent(struct loop* loop, struct end* end, int result) {
    if (result < 0 && result != -EAGAIN) {
        close_end(loop, end);
        return;
    }
    end->sent_bytes += result > 0 ? (size_t)result : 0;
    if (end->sent_bytes < end->sending_bytes) {
        end->refused = loop->use.trick;
        send_rest(loop, end);
    } else {
        send_ended(loop, end);
    }
}

/* The completions of the last submit are all seen: a trick's send without one has succeeded. */
static void settle_sends(struct loop* loop) {
    for (int i = 0; i < loop->sending_count; ++i) {
        struct end* end = loop->sending[i];
        if (!end->refused) {
            send_ended(loop, end);
        }
        end->refused = false;
    }
    loop->sending_count = 0;
}

/* --- receiving --- */

static void on_bytes(struct loop* loop, struct end* end, const char* data, size_t bytes) {
    const size_t due = bench_answer(loop->run, end->client, data, bytes, room(end));
    end->filling_bytes += due;
    if (due > 0 && !loop->run->done) {
        mark_dirty(loop, end);
    }
}

static void receive_speculatively(struct loop* loop, struct end* end) {
    for (int budget = 8; budget > 0; --budget) {
        const ssize_t got = recv(end->fd, end->in, bench_window_bytes, MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN) {
            break;
        }
        if (got <= 0) {
            close_end(loop, end);
            return;
        }
        on_bytes(loop, end, end->in, (size_t)got);
    }
    arm_receive(loop, end);
}

static void on_received(struct loop* loop, struct end* end, const struct io_uring_cqe* cqe) {
    const char* data = end->in;
    unsigned buffer = 0;
    if (cqe->flags & IORING_CQE_F_BUFFER) {
        buffer = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
        data = loop->buffer_memory + (size_t)buffer * loop->use.buffer_bytes;
    }
    if (cqe->res > 0) {
        on_bytes(loop, end, data, (size_t)cqe->res);
    } else if (cqe->res != -ENOBUFS) {
        close_end(loop, end);
    }
    if (cqe->flags & IORING_CQE_F_BUFFER) {
        io_uring_buf_ring_add(loop->buffers, loop->buffer_memory + (size_t)buffer * loop->use.buffer_bytes,
                              loop->use.buffer_bytes, (unsigned short)buffer,
                              io_uring_buf_ring_mask(loop->use.buffer_count), loop->buffers_back++);
    }
    if (!end->open || (cqe->flags & IORING_CQE_F_MORE)) {
        return;
    }
    if (loop->use.receive == speculative) {
        receive_speculatively(loop, end);
    } else {
        arm_receive(loop, end);
    }
}

static void turn(struct loop* loop) {
    flush(loop);
    io_uring_submit_and_wait(&loop->ring, 1);
    struct io_uring_cqe* cqe;
    unsigned head;
    unsigned seen = 0;
    io_uring_for_each_cqe(&loop->ring, head, cqe) {
        struct end* end = (struct end*)(uintptr_t)(cqe->user_data & ~(uint64_t)tag_mask);
        if ((cqe->user_data & tag_mask) == tag_send) {
            on_sent(loop, end, cqe->res);
        } else if (end->open) {
            on_received(loop, end, cqe);
        }
        ++seen;
    }
    io_uring_cq_advance(&loop->ring, seen);
    if (loop->buffers_back > 0) {
        io_uring_buf_ring_advance(loop->buffers, loop->buffers_back);
        loop->buffers_back = 0;
    }
    settle_sends(loop);
}

static void add(struct loop* loop, struct end* end, int fd, int slot) {
    end->fd = fd;
    end->slot = fd;
    end->open = true;
    end->client = loop->run->options.role == bench_client ? calloc(1, sizeof *end->client) : NULL;
    ++loop->open;
    if (loop->use.direct) {
        end->slot = slot;
        if (io_uring_register_files_update(&loop->ring, (unsigned)slot, &fd, 1) != 1) {
            bench_fail("cannot fill a direct descriptor");
        }
    }
    arm_receive(loop, end);
}

static void contest(struct bench_run* run, const void* settings) {
    const struct bench_options* options = &run->options;
    struct loop loop = {.run = run, .use = *(const struct settings*)settings};
    if (options->scenario == bench_stream || (loop.use.receive == multishot && !loop.use.provided) ||
        (loop.use.receive == speculative && loop.use.provided)) {
        errno = 0;
        bench_fail(
            "multishot needs provided buffers, speculative its own; the stream's rival is rival_blocking");
    }
    open_ring(&loop);
    const size_t connections = (size_t)options->connections;
    loop.dirty = calloc(connections, sizeof *loop.dirty);
    loop.sending = calloc(connections, sizeof *loop.sending);
    struct end* ends = calloc(connections, sizeof *ends);
    int* fds = calloc(connections, sizeof *fds);
    bench_connect(run, fds, false);
    bench_start(run);
    for (int i = 0; i < options->connections; ++i) {
        add(&loop, &ends[i], fds[i], i);
        if (ends[i].client && bench_is_busy(run, i)) {
            const size_t count = (size_t)options->in_flight;
            ends[i].filling_bytes = bench_fill(run, ends[i].client, room(&ends[i]), count);
            mark_dirty(&loop, &ends[i]);
        }
    }
    while (!run->done && loop.open > 0) {
        turn(&loop);
    }
    for (int i = 0; i < options->connections; ++i) {
        if (ends[i].open) {
            shutdown(ends[i].fd, SHUT_RDWR); /* a pending receive holds the socket open */
            close_end(&loop, &ends[i]);
        }
    }
    io_uring_queue_exit(&loop.ring);
}

int main(int argc, char** argv) {
    struct settings settings = {.receive = multishot,
                                .provided = true,
                                .trick = true,
                                .ring_fd = true,
                                .buffer_bytes = bench_window_bytes,
                                .buffer_count = 256};
    return bench_main(argc, argv, option, &settings, contest);
}
