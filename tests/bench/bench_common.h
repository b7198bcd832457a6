/* What all contestants share, so that none is measured by its own yardstick: the command line, the messages
 * and their check, the counted window, the clocks and the printed line. A contestant brings only its loop:
 *
 *     static void contest(struct bench_run* run, const void* settings) {
 *         bench_connect(run, ends, nonblocking);  // or sockets of its own
 *         bench_start(run);
 *         // a server: answer with bench_answer(run, NULL, ...) until all connections are closed
 *         // a client: send what bench_fill() writes, then what bench_answer(run, &state, ...) writes,
 *         //           until run->done; then close
 *     }
 *     int main(int argc, char** argv) { return bench_main(argc, argv, NULL, NULL, contest); }
 *
 * C11, included by C++ too. A run belongs to one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    bench_message_bytes = 64,
    bench_in_flight_max = 32,
    /* What one connection can have on the way, which bounds every buffer of a contestant. */
    bench_window_bytes = bench_message_bytes * bench_in_flight_max,
    bench_stream_bytes = 64 * 1024,
    bench_histogram_slots = 64 * 59,
};

enum bench_scenario { bench_pingpong, bench_connections, bench_idle, bench_stream };

enum bench_role { bench_both, bench_server, bench_client };

struct bench_options {
    enum bench_scenario scenario;
    enum bench_role role;
    int connections; /* open */
    int busy;        /* of them, carrying messages */
    int in_flight;   /* messages on the way per busy connection */
    int cpu;         /* -1: not pinned */
    double seconds;
    double warm_up_seconds;
    int port; /* 0: any (a server), read from the port file (a client) */
    const char* port_file;
};

/* How far the numbered messages of a connection have come. Zero is the fresh state. */
struct bench_state {
    uint64_t sent;           /* messages */
    uint64_t received_bytes; /* of replies, or of the stream */
    uint64_t probe;          /* the message that is timed, one at a time on each connection */
    uint64_t probe_sent_ns;  /* 0: none is on the way */
};

/* One end, server or client, for its whole life. */
struct bench_run {
    const char* program;
    struct bench_options options; /* its role is the end's: never both */
    bool done;                    /* the counted time is over: a client stops sending and closes */
    int listener;                 /* -1 in a client */
    uint64_t messages;

    /* Private. */
    bool alone; /* the other end is another process */
    int phase;
    int server_pid; /* 0: unknown, or this process */
    uint64_t checksum;
    uint64_t now_ns; /* as of the last probe that came back */
    uint64_t phase_end_ns;
    uint64_t begun_ns, ended_ns;
    uint64_t begun_messages, ended_messages;
    uint64_t begun_cpu_ns, ended_cpu_ns;
    uint64_t begun_server_cpu_ns, ended_server_cpu_ns;
    uint64_t begun_server_memory, ended_server_memory;
    uint64_t samples;
    uint32_t histogram[bench_histogram_slots];
};

/* Reads one option of the contestant into its settings; false when it does not know `name`. */
typedef bool (*bench_option_handler)(void* settings, const char* name, const char* value);

/* Plays one end until it is over. */
typedef void (*bench_contestant)(struct bench_run* run, const void* settings);

/* Reads the command line, pins, starts the watchdog, plays the wanted ends and prints a line of JSON. Both
 * ends in one process are two threads with a loop each, on the same CPU if one was given. Returns the exit
 * code. */
int bench_main(int argc, char** argv, bench_option_handler handler, void* settings,
               bench_contestant contestant);

/* Opens all connections with blocking calls (opening is not measured): `ends` receives their descriptors. */
void bench_connect(struct bench_run* run, int* ends, bool nonblocking);

/* For a client with sockets of its own: the server's port, once there is a server. */
int bench_port(struct bench_run* run);

/* Whether connection `index` carries messages; the busy ones are spread evenly. */
bool bench_is_busy(const struct bench_run* run, int index);

/* All connections stand: the clocks start. A client calls it before its first message. */
void bench_start(struct bench_run* run);

/* A client received these bytes: checks their numbers, counts, and returns how many new messages are due. */
size_t bench_take(struct bench_run* run, struct bench_state* state, const char* data, size_t bytes);

/* Writes `count` numbered messages and returns their length in bytes. */
size_t bench_fill(struct bench_run* run, struct bench_state* state, char* out, size_t count);

/* What either end answers to received bytes: an echo (state is null) returns them, a client checks them and
 * sends as many new messages. `out` may be `data` itself; returns the bytes in `out`. */
size_t bench_answer(struct bench_run* run, struct bench_state* state, const char* data, size_t bytes,
                    char* out);

/* The one-way stream, server to client. The sender stamps every message of a block with its number, the
 * receiver adds all numbers up, and the sum is compared at the end. A sent block is whole messages, a
 * received one need not be. */
void bench_stream_fill(struct bench_state* state, char* block, size_t bytes);
void bench_stream_take(struct bench_run* run, struct bench_state* state, const char* data, size_t bytes);

/* The server end closed a connection while the client still counted, and other reasons to give up: prints the
 * reason, with errno when it is not 0, and exits with 1. */
__attribute__((noreturn)) void bench_fail(const char* what);

/* --- between the two source files --- */
void bench_print(const struct bench_run* run);
uint64_t bench_memory_bytes(int pid);
extern const char* const bench_scenario_names[];

#ifdef __cplusplus
}
#endif
