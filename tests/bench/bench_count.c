/* Messages, the counted window and the report. */
#define _GNU_SOURCE
#include "bench_common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { phase_idle, phase_warm_up, phase_counted, phase_over };

const char* const bench_scenario_names[] = {"pingpong", "connections", "idle", "stream", NULL};

/* --- clocks --- */

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) {
        return 0;
    }
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The CPU time of another process, 0 when there is none. Its clock is exact; the ticks in /proc are not. */
static uint64_t process_cpu_ns(int pid) {
    clockid_t clock;
    if (pid == 0 || clock_getcpuclockid(pid, &clock) != 0) {
        return 0;
    }
    return clock_ns(clock);
}

/* Anonymous and shared memory without mapped program text: what connections cost. 0 when unknown. */
uint64_t bench_memory_bytes(int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE* file = fopen(path, "r");
    if (!file) {
        return 0;
    }
    uint64_t kibibytes = 0;
    char line[128];
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "RssAnon:", 8) == 0 || strncmp(line, "RssShmem:", 9) == 0) {
            kibibytes += strtoull(strchr(line, ':') + 1, NULL, 10);
        }
    }
    fclose(file);
    return kibibytes * 1024;
}

/* --- the counted window --- */

void bench_start(struct bench_run* run) {
    run->phase = phase_warm_up;
    run->now_ns = clock_ns(CLOCK_MONOTONIC);
    run->phase_end_ns = run->now_ns + (uint64_t)(run->options.warm_up_seconds * 1e9);
}

static void next_phase(struct bench_run* run, uint64_t now_ns) {
    const uint64_t cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    const uint64_t server_cpu_ns = process_cpu_ns(run->server_pid);
    if (run->phase == phase_warm_up) {
        run->phase = phase_counted;
        run->begun_ns = now_ns;
        run->begun_messages = run->messages;
        run->begun_cpu_ns = cpu_ns;
        run->begun_server_cpu_ns = server_cpu_ns;
        run->phase_end_ns = now_ns + (uint64_t)(run->options.seconds * 1e9);
    } else {
        run->phase = phase_over;
        run->ended_ns = now_ns;
        run->ended_messages = run->messages;
        run->ended_cpu_ns = cpu_ns;
        run->ended_server_cpu_ns = server_cpu_ns;
        run->ended_server_memory = run->server_pid ? bench_memory_bytes(run->server_pid) : 0;
        run->phase_end_ns = UINT64_MAX;
        run->done = true;
    }
}

static inline void tick(struct bench_run* run, uint64_t now_ns) {
    if (__builtin_expect(now_ns >= run->phase_end_ns, 0)) {
        next_phase(run, now_ns);
    }
}

/* Log-linear: 64 slots for each power of two, so a percentile is right to 1.6 %. */
static size_t slot_of(uint64_t value) {
    if (value < 64) {
        return (size_t)value;
    }
    const unsigned shift = 57 - (unsigned)__builtin_clzll(value);
    return (size_t)(shift + 1) * 64 + (size_t)((value >> shift) & 63);
}

static double value_of(size_t slot) {
    return slot < 64 ? (double)slot : (double)((UINT64_C(64) + slot % 64) << (slot / 64 - 1));
}

static double percentile(const struct bench_run* run, double fraction) {
    uint64_t left = (uint64_t)((double)run->samples * fraction);
    for (size_t i = 0; i < bench_histogram_slots; ++i) {
        if (run->histogram[i] > left) {
            return value_of(i);
        }
        left -= run->histogram[i];
    }
    return 0;
}

static void on_probe(struct bench_run* run, struct bench_state* state) {
    run->now_ns = clock_ns(CLOCK_MONOTONIC); /* the next fill times its first message from here */
    if (run->phase == phase_counted) {
        ++run->histogram[slot_of(run->now_ns - state->probe_sent_ns)];
        ++run->samples;
    }
    state->probe_sent_ns = 0;
    tick(run, run->now_ns);
}

/* --- messages --- */

static void check_number(uint64_t expected, uint64_t found) {
    if (__builtin_expect(expected != found, 0)) {
        fprintf(stderr, "benchmark: expected reply %llu, got %llu\n", (unsigned long long)expected,
                (unsigned long long)found);
        errno = 0;
        bench_fail("a reply was lost, doubled or out of order");
    }
}

/* Takes a part of a message: sets `number` to the bytes of its number that lie in this part, the others 0,
 * and `mask` to where they are. Returns the bytes used. */
static size_t take_part(const struct bench_state* state, const char* data, size_t bytes, uint64_t* number,
                        uint64_t* mask) {
    const size_t place = state->received_bytes % bench_message_bytes;
    const size_t left = bench_message_bytes - place;
    const size_t used = bytes < left ? bytes : left;
    *number = 0;
    *mask = 0;
    for (size_t i = 0; i < used && place + i < sizeof *number; ++i) {
        const size_t shift = 8 * (place + i);
        *number |= (uint64_t)(unsigned char)data[i] << shift;
        *mask |= UINT64_C(0xff) << shift;
    }
    return used;
}

size_t bench_take(struct bench_run* run, struct bench_state* state, const char* data, size_t bytes) {
    const uint64_t before = state->received_bytes / bench_message_bytes;
    const char* const end = data + bytes;
    while (data != end) {
        const uint64_t expected = state->received_bytes / bench_message_bytes;
        uint64_t number;
        uint64_t mask = ~UINT64_C(0);
        size_t used = bench_message_bytes;
        if (state->received_bytes % bench_message_bytes == 0 && end - data >= bench_message_bytes) {
            memcpy(&number, data, sizeof number);
        } else {
            used = take_part(state, data, (size_t)(end - data), &number, &mask);
        }
        check_number(expected & mask, number);
        data += used;
        state->received_bytes += used;
    }
    const uint64_t after = state->received_bytes / bench_message_bytes;
    run->messages += after - before;
    if (state->probe_sent_ns != 0 && after > state->probe) {
        on_probe(run, state);
    }
    return (size_t)(after - before);
}

size_t bench_fill(struct bench_run* run, struct bench_state* state, char* out, size_t count) {
    if (state->probe_sent_ns == 0 && count > 0) {
        state->probe_sent_ns = run->now_ns;
        state->probe = state->sent;
    }
    for (size_t i = 0; i < count; ++i) {
        memset(out + i * bench_message_bytes, 'x', bench_message_bytes);
        memcpy(out + i * bench_message_bytes, &state->sent, sizeof state->sent);
        ++state->sent;
    }
    return count * bench_message_bytes;
}

size_t bench_answer(struct bench_run* run, struct bench_state* state, const char* data, size_t bytes,
                    char* out) {
    if (state) {
        return bench_fill(run, state, out, bench_take(run, state, data, bytes));
    }
    if (out != data) {
        memcpy(out, data, bytes);
    }
    return bytes;
}

void bench_stream_fill(struct bench_state* state, char* block, size_t bytes) {
    for (size_t i = 0; i + bench_message_bytes <= bytes; i += bench_message_bytes) {
        memcpy(block + i, &state->sent, sizeof state->sent);
        ++state->sent;
    }
}

void bench_stream_take(struct bench_run* run, struct bench_state* state, const char* data, size_t bytes) {
    const uint64_t before = state->received_bytes;
    const char* const end = data + bytes;
    uint64_t sum = 0;
    while (data != end) {
        uint64_t number;
        uint64_t mask;
        size_t used = bench_message_bytes;
        if (state->received_bytes % bench_message_bytes == 0 && end - data >= bench_message_bytes) {
            memcpy(&number, data, sizeof number);
        } else {
            used = take_part(state, data, (size_t)(end - data), &number, &mask);
        }
        sum += number;
        data += used;
        state->received_bytes += used;
    }
    run->checksum += sum;
    run->messages = state->received_bytes / bench_message_bytes;
    if (before / bench_stream_bytes != state->received_bytes / bench_stream_bytes) {
        tick(run, clock_ns(CLOCK_MONOTONIC));
    }
}

/* --- the report --- */

static void check_stream(const struct bench_run* run) {
    const uint64_t n = run->messages;
    const uint64_t expected = n % 2 == 0 ? n / 2 * (n - 1) : (n - 1) / 2 * n;
    /* A last message that came in part has put a part of its number, which is n, into the sum. */
    if (run->checksum - expected > n) {
        errno = 0;
        bench_fail("the numbers of the stream do not add up");
    }
}

void bench_print(const struct bench_run* run) {
    const struct bench_options* options = &run->options;
    const char* scenario = bench_scenario_names[options->scenario];
    if (options->role == bench_server) {
        printf("{\"program\": \"%s\", \"scenario\": \"%s\", \"role\": \"server\", \"cpu_seconds\": %.3f}\n",
               run->program, scenario, (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9);
        return;
    }
    errno = 0;
    if (!run->done) {
        bench_fail("the connections ended before the counted time");
    }
    if (options->scenario == bench_stream) {
        check_stream(run);
    }
    const double messages = (double)(run->ended_messages - run->begun_messages);
    const double seconds = (double)(run->ended_ns - run->begun_ns) / 1e9;
    const double own_ns = (double)(run->ended_cpu_ns - run->begun_cpu_ns);
    const double server_ns = (double)(run->ended_server_cpu_ns - run->begun_server_cpu_ns);
    if (messages == 0) {
        bench_fail("no message came back in the counted time");
    }
    printf("{\"program\": \"%s\", \"scenario\": \"%s\", \"role\": \"%s\", \"connections\": %d, \"busy\": %d, "
           "\"in_flight\": %d, \"messages\": %.0f, \"seconds\": %.4f, \"rate\": %.1f, "
           "\"cpu_ns_per_message\": %.2f",
           run->program, scenario, run->alone ? "client" : "both", options->connections, options->busy,
           options->in_flight, messages, seconds, messages / seconds, (own_ns + server_ns) / messages);
    if (run->server_pid != 0) {
        printf(", \"client_cpu_ns_per_message\": %.2f, \"server_cpu_ns_per_message\": %.2f",
               own_ns / messages, server_ns / messages);
        if (options->scenario == bench_idle) {
            const double grown = (double)run->ended_server_memory - (double)run->begun_server_memory;
            printf(", \"rss_bytes_per_connection\": %.1f", grown / options->connections);
        }
    }
    if (run->samples > 0) {
        printf(", \"p50_us\": %.3f, \"p99_us\": %.3f", percentile(run, 0.50) / 1e3,
               percentile(run, 0.99) / 1e3);
    }
    printf("}\n");
}
