/* Blocking sockets, a thread for each end: the one-way stream in 64 KiB writes and reads, and a ping-pong
 * without any loop, which is what the kernel alone costs. */
#define _GNU_SOURCE
#include "bench_common.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool receive_message(int fd, char* message) {
    const ssize_t got = recv(fd, message, bench_message_bytes, MSG_WAITALL);
    return got == bench_message_bytes;
}

static bool send_message(int fd, const char* message) {
    return send(fd, message, bench_message_bytes, MSG_NOSIGNAL) == bench_message_bytes;
}

static void pingpong_client(struct bench_run* run, int fd) {
    struct bench_state state = {0};
    char message[bench_message_bytes];
    bench_fill(run, &state, message, 1);
    while (!run->done) {
        if (!send_message(fd, message) || !receive_message(fd, message)) {
            bench_fail("the server went away");
        }
        bench_answer(run, &state, message, sizeof message, message);
    }
}

static void pingpong_server(int fd) {
    char message[bench_message_bytes];
    while (receive_message(fd, message) && send_message(fd, message)) {
    }
}

static void stream_server(int fd) {
    struct bench_state state = {0};
    char block[bench_stream_bytes];
    memset(block, 'x', sizeof block);
    ssize_t sent = bench_stream_bytes;
    while (sent == bench_stream_bytes) {
        bench_stream_fill(&state, block, sizeof block);
        sent = send(fd, block, sizeof block, MSG_NOSIGNAL);
    }
}

static void stream_client(struct bench_run* run, int fd) {
    struct bench_state state = {0};
    char block[bench_stream_bytes];
    while (!run->done) {
        const ssize_t got = recv(fd, block, sizeof block, 0);
        if (got <= 0) {
            bench_fail("the server went away");
        }
        bench_stream_take(run, &state, block, (size_t)got);
    }
}

static void contest(struct bench_run* run, const void* settings) {
    (void)settings;
    const bool stream = run->options.scenario == bench_stream;
    if (run->options.connections != 1 || run->options.in_flight != 1) {
        errno = 0;
        bench_fail("a thread of blocking calls serves one connection with one message in flight");
    }
    int fd = -1;
    bench_connect(run, &fd, false);
    bench_start(run);
    if (run->options.role == bench_server) {
        (stream ? stream_server : pingpong_server)(fd);
    } else {
        (stream ? stream_client : pingpong_client)(run, fd);
    }
    close(fd);
}

int main(int argc, char** argv) {
    return bench_main(argc, argv, NULL, NULL, contest);
}
