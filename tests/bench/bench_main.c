/* The command line, the sockets and the two ends. */
#define _GNU_SOURCE
#include "bench_common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

void bench_fail(const char* what) {
    if (errno != 0) {
        fprintf(stderr, "benchmark: %s: %s\n", what, strerror(errno));
    } else {
        fprintf(stderr, "benchmark: %s\n", what);
    }
    _exit(1);
}

/* --- the command line --- */

__attribute__((noreturn)) static void usage(const char* program, const char* wrong) {
    fprintf(stderr,
            "%s: %s\n"
            "usage: %s pingpong|connections|idle|stream [--role both|server|client] [--connections N] "
            "[--busy N]\n"
            "  [--in-flight K] [--seconds S] [--warm-up S] [--cpu N] [--port N] [--port-file PATH]\n"
            "  and the options of this program, which stand at the top of its source\n",
            program, wrong, program);
    exit(2);
}

static int index_of(const char* const* names, const char* name) {
    for (int i = 0; names[i]; ++i) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static bool read_option(struct bench_options* options, const char* name, const char* value) {
    static const char* const role_names[] = {"both", "server", "client", NULL};
    if (strcmp(name, "--role") == 0) {
        const int role = index_of(role_names, value);
        options->role = (enum bench_role)role;
        return role >= 0;
    }
    if (strcmp(name, "--port-file") == 0) {
        options->port_file = value;
        return true;
    }

    const struct {
        const char* name;
        int* whole;
        double* seconds;
    } numbers[] = {{"--connections", &options->connections, NULL},
                   {"--busy", &options->busy, NULL},
                   {"--in-flight", &options->in_flight, NULL},
                   {"--cpu", &options->cpu, NULL},
                   {"--port", &options->port, NULL},
                   {"--seconds", NULL, &options->seconds},
                   {"--warm-up", NULL, &options->warm_up_seconds}};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i) {
        if (strcmp(name, numbers[i].name) == 0) {
            char* end = NULL;
            const double number = strtod(value, &end);
            if (numbers[i].whole) {
                *numbers[i].whole = (int)number;
            } else {
                *numbers[i].seconds = number;
            }
            return end != value && *end == 0;
        }
    }
    return false;
}

static void read_command_line(struct bench_run* run, int argc, char** argv, bench_option_handler handler,
                              void* settings) {
    struct bench_options* options = &run->options;
    *options = (struct bench_options){
        .connections = -1, .busy = -1, .in_flight = 1, .cpu = -1, .seconds = 2, .warm_up_seconds = 0.2};
    if (argc < 2) {
        usage(run->program, "the scenario is missing");
    }
    const int scenario = index_of(bench_scenario_names, argv[1]);
    if (scenario < 0) {
        usage(run->program, "unknown scenario");
    }
    options->scenario = (enum bench_scenario)scenario;
    for (int i = 2; i < argc; i += 2) {
        if (i + 1 == argc) {
            usage(run->program, "the last option has no value");
        }
        if (!(handler && handler(settings, argv[i], argv[i + 1])) &&
            !read_option(options, argv[i], argv[i + 1])) {
            usage(run->program, argv[i]);
        }
    }
    if (options->connections < 0) {
        options->connections = scenario == bench_connections ? 50 : scenario == bench_idle ? 5000 : 1;
    }
    if (options->busy < 0) {
        options->busy = scenario == bench_idle ? 100 : options->connections;
    }
    if (options->connections < 1 || options->connections > 10000 || options->busy < 1 ||
        options->busy > options->connections) {
        usage(run->program, "wanted 1 to 10000 connections, and no more busy ones than connections");
    }
    if (options->in_flight < 1 || options->in_flight > bench_in_flight_max) {
        usage(run->program, "wanted 1 to 32 messages in flight");
    }
    if (!(options->seconds > 0 && options->seconds <= 60 && options->warm_up_seconds >= 0 &&
          options->warm_up_seconds <= 10)) {
        usage(run->program, "wanted at most 60 seconds after at most 10 of warm-up");
    }
}

/* --- sockets --- */

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void publish(const struct bench_run* run) {
    char partial[4096];
    snprintf(partial, sizeof partial, "%s.partial", run->options.port_file);
    FILE* file = fopen(partial, "w");
    if (!file) {
        bench_fail("cannot write the port file");
    }
    fprintf(file, "%d %d %llu\n", run->options.port, (int)getpid(),
            (unsigned long long)bench_memory_bytes(getpid()));
    if (fclose(file) != 0 || rename(partial, run->options.port_file) != 0) {
        bench_fail("cannot write the port file");
    }
}

static void open_listener(struct bench_run* run) {
    run->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(run->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = loopback(run->options.port);
    socklen_t length = sizeof address;
    if (run->listener < 0 || bind(run->listener, (struct sockaddr*)&address, length) != 0 ||
        listen(run->listener, 4096) != 0 ||
        getsockname(run->listener, (struct sockaddr*)&address, &length) != 0) {
        bench_fail("cannot listen on 127.0.0.1");
    }
    run->options.port = ntohs(address.sin_port);
}

int bench_port(struct bench_run* run) {
    for (int tries = 0; run->options.port == 0; ++tries) {
        FILE* file = run->options.port_file ? fopen(run->options.port_file, "r") : NULL;
        unsigned long long memory = 0;
        if (file && fscanf(file, "%d %d %llu", &run->options.port, &run->server_pid, &memory) == 3) {
            run->begun_server_memory = memory;
        }
        if (file) {
            fclose(file);
        } else if (tries == 5000) {
            errno = 0;
            bench_fail("no server has written the port file within 5 seconds");
        } else {
            usleep(1000);
        }
    }
    return run->options.port;
}

void bench_connect(struct bench_run* run, int* ends, bool nonblocking) {
    const struct sockaddr_in address = loopback(bench_port(run));
    const int on = 1;
    for (int i = 0; i < run->options.connections; ++i) {
        if (run->options.role == bench_server) {
            ends[i] = accept4(run->listener, NULL, NULL, SOCK_CLOEXEC);
        } else {
            ends[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        }
        if (ends[i] < 0 || (run->options.role == bench_client &&
                            connect(ends[i], (const struct sockaddr*)&address, sizeof address) != 0)) {
            bench_fail("cannot open a connection");
        }
        if (setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
            (nonblocking && fcntl(ends[i], F_SETFL, O_NONBLOCK) != 0)) {
            bench_fail("cannot set up a connection");
        }
    }
}

bool bench_is_busy(const struct bench_run* run, int index) {
    const int step = run->options.connections / run->options.busy;
    return index % step == 0 && index / step < run->options.busy;
}

/* --- the two ends --- */

struct play {
    struct bench_run* run;
    const void* settings;
    bench_contestant contestant;
};

static void* play_server(void* argument) {
    const struct play* play = argument;
    play->contestant(play->run, play->settings);
    return NULL;
}

static void prepare_process(const struct bench_options* options) {
    if (options->cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(options->cpu, &set);
        if (sched_setaffinity(0, sizeof set, &set) != 0) {
            bench_fail("cannot pin to the CPU");
        }
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* The watchdog: whatever hangs, hangs for 20 seconds at most. */
    alarm((unsigned)(options->seconds + options->warm_up_seconds) + 20);
}

int bench_main(int argc, char** argv, bench_option_handler handler, void* settings,
               bench_contestant contestant) {
    static struct bench_run run;
    static struct bench_run server;
    const char* slash = strrchr(argv[0], '/');
    run.program = slash ? slash + 1 : argv[0];
    run.listener = -1;
    read_command_line(&run, argc, argv, handler, settings);
    prepare_process(&run.options);
    if (run.options.role != bench_client) {
        open_listener(&run);
    }
    if (run.options.role == bench_both) {
        server = run;
        server.options.role = bench_server;
        run.options.role = bench_client;
        struct play play = {&server, settings, contestant};
        pthread_t thread;
        errno = pthread_create(&thread, NULL, play_server, &play);
        if (errno != 0) {
            bench_fail("cannot start a thread");
        }
        contestant(&run, settings);
        pthread_join(thread, NULL);
    } else {
        run.alone = true;
        if (run.options.role == bench_server && run.options.port_file) {
            publish(&run);
        }
        contestant(&run, settings);
    }
    bench_print(&run);
    return 0;
}
