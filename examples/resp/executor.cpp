#include <phoenix/replication/core/error.hpp>

#include "command.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <system_error>

namespace resp {

namespace {

using enum command_flag;

constexpr unsigned none = 0;
constexpr unsigned reading = static_cast<unsigned>(read_only);
constexpr unsigned fast_reading = read_only | fast;
constexpr unsigned writing = static_cast<unsigned>(write);
constexpr unsigned fast_writing = write | fast;
constexpr unsigned quick = static_cast<unsigned>(fast);
constexpr unsigned administrative = static_cast<unsigned>(admin);

// By name: find_command is a binary search.
constexpr std::array commands{
    command{"append", 3, fast_writing, 1, 1, 1, run_append, "string",
            "Appends a string to the value of a key."},
    command{"auth", -2, fast | no_auth, 0, 0, 0, run_auth, "connection", "Authenticates the connection."},
    command{"client", -2, none, 0, 0, 0, run_client, "connection",
            "A container for client connection commands."},
    command{"command", -1, none, 0, 0, 0, run_command, "server",
            "Returns detailed information about all commands."},
    command{"config", -2, administrative, 0, 0, 0, run_config, "server",
            "A container for configuration commands."},
    command{"dbsize", 1, fast_reading, 0, 0, 0, run_dbsize, "server", "Returns the number of keys."},
    command{"decr", 2, fast_writing, 1, 1, 1, run_decr, "string",
            "Takes one from the integer value of a key."},
    command{"decrby", 3, fast_writing, 1, 1, 1, run_decrby, "string",
            "Takes a number from the integer value of a key."},
    command{"del", -2, writing, 1, -1, 1, run_del, "generic", "Deletes keys."},
    command{"echo", 2, quick, 0, 0, 0, run_echo, "connection", "Returns the given string."},
    command{"exists", -2, fast_reading, 1, -1, 1, run_exists, "generic",
            "Counts those of the keys that exist."},
    command{"flushall", -1, writing, 0, 0, 0, run_flushall, "server",
            "Deletes all keys that this peer sees."},
    command{"get", 2, fast_reading, 1, 1, 1, run_get, "string", "Returns the string value of a key."},
    command{"getset", 3, fast_writing, 1, 1, 1, run_getset, "string", "Sets a key and returns what it was."},
    command{"hdel", -3, fast_writing, 1, 1, 1, run_hdel, "hash", "Deletes fields of a hash."},
    command{"hello", -1, fast | no_auth, 0, 0, 0, run_hello, "connection", "Handshakes with the server."},
    command{"hget", 3, fast_reading, 1, 1, 1, run_hget, "hash", "Returns the value of a field."},
    command{"hgetall", 2, reading, 1, 1, 1, run_hgetall, "hash", "Returns all fields and values of a hash."},
    command{"hincrby", 4, fast_writing, 1, 1, 1, run_hincrby, "hash",
            "Adds to the integer value of a field."},
    command{"hlen", 2, fast_reading, 1, 1, 1, run_hlen, "hash", "Returns the number of fields of a hash."},
    command{"hmget", -3, fast_reading, 1, 1, 1, run_hmget, "hash", "Returns the values of fields."},
    command{"hset", -4, fast_writing, 1, 1, 1, run_hset, "hash", "Sets fields of a hash."},
    command{"incr", 2, fast_writing, 1, 1, 1, run_incr, "string", "Adds one to the integer value of a key."},
    command{"incrby", 3, fast_writing, 1, 1, 1, run_incrby, "string",
            "Adds a number to the integer value of a key."},
    command{"info", -1, none, 0, 0, 0, run_info, "server", "Returns information about this peer."},
    command{"keys", 2, reading, 0, 0, 0, run_keys, "generic", "Returns all keys that match a pattern."},
    command{"mget", -2, fast_reading, 1, -1, 1, run_mget, "string", "Returns the string values of keys."},
    command{"mset", -3, writing, 1, -1, 2, run_mset, "string", "Sets keys."},
    command{"phoenix.link", 3, administrative, 0, 0, 0, run_phoenix_link, "cluster",
            "Cuts or heals the link to a peer: DOWN|UP id."},
    command{"phoenix.status", 1, administrative, 0, 0, 0, run_phoenix_status, "cluster",
            "Returns what this peer knows of itself and of others."},
    command{"ping", -1, quick, 0, 0, 0, run_ping, "connection", "Returns PONG, or its argument."},
    command{"quit", -1, fast | no_auth, 0, 0, 0, run_quit, "connection", "Closes the connection."},
    command{"reset", 1, fast | no_auth, 0, 0, 0, run_reset, "connection", "Resets the connection."},
    command{"sadd", -3, fast_writing, 1, 1, 1, run_sadd, "set", "Adds members to a set."},
    command{"scan", -2, reading, 0, 0, 0, run_scan, "generic", "Iterates over the keys."},
    command{"scard", 2, fast_reading, 1, 1, 1, run_scard, "set", "Returns the number of members of a set."},
    command{"select", 2, quick, 0, 0, 0, run_select, "connection", "Selects the database: there is one."},
    command{"set", -3, writing, 1, 1, 1, run_set, "string", "Sets a key, whatever it held."},
    command{"setnx", 3, fast_writing, 1, 1, 1, run_setnx, "string", "Sets a key that does not exist."},
    command{"sismember", 3, fast_reading, 1, 1, 1, run_sismember, "set",
            "Whether a member belongs to a set."},
    command{"smembers", 2, reading, 1, 1, 1, run_smembers, "set", "Returns all members of a set."},
    command{"srem", -3, fast_writing, 1, 1, 1, run_srem, "set", "Removes members from a set."},
    command{"strlen", 2, fast_reading, 1, 1, 1, run_strlen, "string",
            "Returns the length of a string value."},
    command{"type", 2, fast_reading, 1, 1, 1, run_type, "generic", "Returns the type of a key."},
    command{"unlink", -2, fast_writing, 1, -1, 1, run_del, "generic", "Deletes keys."},
    command{"wait", 3, none, 0, 0, 0, run_wait, "generic",
            "Waits until other nodes hold this connection's last write."},
};

static_assert(std::ranges::is_sorted(commands, {}, &command::name));

constexpr std::size_t name_bytes_max = 16;
/// How much of what a client sent an error quotes.
constexpr std::size_t quoted_bytes_max = 128;

std::string unknown_command(std::span<const std::string_view> request) {
    std::string text = "ERR unknown command '" + std::string(request[0].substr(0, quoted_bytes_max)) +
                       "', with args beginning with: ";
    std::size_t quoted = 0;
    for (const std::string_view each : request.subspan(1)) {
        if (quoted >= quoted_bytes_max) {
            break;
        }
        const std::string_view part = each.substr(0, quoted_bytes_max - quoted);
        text += "'" + std::string(part) + "' ";
        quoted += part.size() + 3;
    }
    return text;
}

} // namespace

std::span<const command> all_commands() noexcept {
    return commands;
}

const command* find_command(std::string_view name) noexcept {
    std::array<char, name_bytes_max> lower;
    if (name.size() > lower.size()) {
        return nullptr;
    }
    std::ranges::transform(name, lower.begin(), to_lower);
    const std::string_view sought(lower.data(), name.size());
    const auto found = std::ranges::lower_bound(commands, sought, {}, &command::name);
    return found != commands.end() && found->name == sought ? &*found : nullptr;
}

void refuse(const std::string& text) {
    throw command_error(text);
}

void refuse_syntax() {
    throw command_error("ERR syntax error");
}

void refuse_count(std::string_view name) {
    throw command_error("ERR wrong number of arguments for '" + std::string(name) + "' command");
}

void refuse_subcommand(std::string_view command, std::string_view found) {
    throw command_error("ERR unknown subcommand '" + std::string(found.substr(0, quoted_bytes_max)) +
                        "'. Try " + std::string(command) + " HELP.");
}

void refuse_option(std::string_view option, std::string_view why) {
    throw command_error("ERR option " + std::string(option) + " is not supported: " + std::string(why));
}

std::int64_t integer_argument(std::string_view text) {
    const auto value = parse_integer(text);
    if (!value) {
        throw command_error("ERR value is not an integer or out of range");
    }
    return *value;
}

const redis_value* call::find(std::string_view key, redis_value::type type) const {
    const redis_value* const found = keys().find(key);
    if (found == nullptr) {
        return nullptr;
    }
    const redis_value::type visible = found->visible();
    if (visible == redis_value::type::none) {
        return nullptr;
    }
    if (visible != type) {
        throw command_error("WRONGTYPE Operation against a key holding the wrong kind of value");
    }
    return found;
}

void executor::add(client_state& client) {
    client.id = ++connections_;
    clients_.emplace(client.id, &client);
}

outcome executor::execute(client_state& client, std::span<const std::string_view> request,
                          reply_writer& reply) {
    if (request.empty()) {
        return {};
    }
    const std::size_t before = reply.size();
    try {
        // As a rule it is the one before.
        const command* const found = client.last != nullptr && equals_nocase(request[0], client.last->name)
                                         ? client.last
                                         : find_command(request[0]);
        if (found == nullptr) {
            refuse(unknown_command(request));
        }
        const auto count = static_cast<int>(request.size());
        if (found->arity >= 0 ? count != found->arity : count < -found->arity) {
            refuse_count(found->name);
        }
        ++executed_;
        client.last = found;
        client.has_written = client.has_written || found->has(command_flag::write);
        call under_way{*this, client, request, reply, {}};
        found->handler(under_way);
        return under_way.then;
    } catch (const command_error& refused) {
        reply.cut_back(before);
        reply.error(refused.what());
    } catch (const std::system_error& failed) {
        reply.cut_back(before);
        reply.error(std::string("ERR ") + failed.what());
    }
    return {};
}

} // namespace resp
