// One command: what the table says of it, and what its handler is given.
#pragma once

#include "executor.hpp"
#include "glob.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace resp {

/// An error reply, with its code; thrown by handlers before they change anything.
class command_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

[[noreturn]] void refuse(const std::string& text);
[[noreturn]] void refuse_syntax();
/// For a command or, as "client|kill", a subcommand.
[[noreturn]] void refuse_count(std::string_view name);
[[noreturn]] void refuse_subcommand(std::string_view command, std::string_view found);
/// What Redis knows and this program does not.
[[noreturn]] void refuse_option(std::string_view option, std::string_view why);

/// "ERR value is not an integer or out of range" when it is none.
[[nodiscard]] std::int64_t integer_argument(std::string_view text);

/// A request under way. The views of the request are valid as long as it is.
struct call {
    executor& owner;
    client_state& client;
    /// The name first.
    std::span<const std::string_view> arguments;
    reply_writer& reply;
    outcome then;

    [[nodiscard]] std::size_t count() const noexcept { return arguments.size(); }

    [[nodiscard]] std::string_view operator[](std::size_t index) const noexcept { return arguments[index]; }

    [[nodiscard]] keyspace& keys() const noexcept { return owner.keys(); }

    /// Null when the key is not there; WRONGTYPE when it is of another type.
    [[nodiscard]] const redis_value* find(std::string_view key, redis_value::type type) const;

    [[nodiscard]] bool is(std::size_t index, std::string_view word) const noexcept {
        return equals_nocase(arguments[index], word);
    }
};

/// Flags of Redis's COMMAND INFO that a client may ask for.
enum class command_flag : std::uint8_t {
    write = 1,
    read_only = 2,
    fast = 4,
    admin = 8,
    no_auth = 16,
};

[[nodiscard]] constexpr unsigned operator|(command_flag a, command_flag b) noexcept {
    return static_cast<unsigned>(a) | static_cast<unsigned>(b);
}

[[nodiscard]] constexpr unsigned operator|(unsigned a, command_flag b) noexcept {
    return a | static_cast<unsigned>(b);
}

struct command {
    /// In lower case.
    std::string_view name;
    /// How many arguments with the name; negative: at least so many.
    int arity;
    unsigned flags;
    /// Which arguments are keys, as COMMAND INFO says it: 0 for none.
    int first_key;
    int last_key;
    int key_step;
    void (*handler)(call&);
    /// For people: COMMAND DOCS.
    std::string_view group;
    std::string_view summary;

    [[nodiscard]] bool has(command_flag flag) const noexcept {
        return (flags & static_cast<unsigned>(flag)) != 0;
    }
};

/// By name.
[[nodiscard]] std::span<const command> all_commands() noexcept;

/// In any case of letters; null for none.
[[nodiscard]] const command* find_command(std::string_view name) noexcept;

// --- The handlers. connection_commands.cpp

void run_auth(call& c);
void run_client(call& c);
void run_echo(call& c);
void run_hello(call& c);
void run_ping(call& c);
void run_quit(call& c);
void run_reset(call& c);
void run_select(call& c);

// --- key_commands.cpp

void run_dbsize(call& c);
void run_del(call& c);
void run_exists(call& c);
void run_flushall(call& c);
void run_keys(call& c);
void run_scan(call& c);
void run_type(call& c);

// --- string_commands.cpp

void run_append(call& c);
void run_decr(call& c);
void run_decrby(call& c);
void run_get(call& c);
void run_getset(call& c);
void run_incr(call& c);
void run_incrby(call& c);
void run_mget(call& c);
void run_mset(call& c);
void run_set(call& c);
void run_setnx(call& c);
void run_strlen(call& c);

// --- set_commands.cpp and hash_commands.cpp

void run_sadd(call& c);
void run_scard(call& c);
void run_sismember(call& c);
void run_smembers(call& c);
void run_srem(call& c);
void run_hdel(call& c);
void run_hget(call& c);
void run_hgetall(call& c);
void run_hincrby(call& c);
void run_hlen(call& c);
void run_hmget(call& c);
void run_hset(call& c);

// --- server_commands.cpp and cluster_commands.cpp

void run_command(call& c);
void run_config(call& c);
void run_info(call& c);
void run_phoenix_link(call& c);
void run_phoenix_status(call& c);
void run_wait(call& c);

} // namespace resp
