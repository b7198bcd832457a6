#include <phoenix/config.hpp>

#include "command.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace resp {

namespace {

struct setting {
    std::string_view name;
    std::string_view value;
};

/// What clients ask for, and what holds here.
constexpr std::array settings{
    setting{"appendonly", "no"},
    setting{"databases", "1"},
    setting{"maxmemory", "0"},
    setting{"maxmemory-policy", "noeviction"},
    setting{"proto-max-bulk-len", "16777216"},
    setting{"save", ""},
};

constexpr std::array flag_names{
    std::pair{command_flag::write, "write"},     std::pair{command_flag::read_only, "readonly"},
    std::pair{command_flag::fast, "fast"},       std::pair{command_flag::admin, "admin"},
    std::pair{command_flag::no_auth, "no_auth"},
};

void describe(call& c, const command& of) {
    c.reply.array(10);
    c.reply.bulk(of.name);
    c.reply.integer(of.arity);
    c.reply.set(static_cast<std::size_t>(
        std::ranges::count_if(flag_names, [&](const auto& each) { return of.has(each.first); })));
    for (const auto& [flag, name] : flag_names) {
        if (of.has(flag)) {
            c.reply.simple(name);
        }
    }
    c.reply.integer(of.first_key);
    c.reply.integer(of.last_key);
    c.reply.integer(of.key_step);
    c.reply.set(0);   // categories of access control: there is none
    c.reply.array(0); // hints
    c.reply.array(0); // key specifications
    c.reply.array(0); // subcommands
}

void document(call& c, const command& of) {
    c.reply.bulk(of.name);
    c.reply.map(2);
    c.reply.bulk("summary");
    c.reply.bulk(of.summary);
    c.reply.bulk("group");
    c.reply.bulk(of.group);
}

bool wants(const call& c, std::string_view section) {
    return c.count() == 1 || std::ranges::any_of(c.arguments.subspan(1), [&](std::string_view each) {
               return equals_nocase(each, section) || equals_nocase(each, "all") ||
                      equals_nocase(each, "everything") || equals_nocase(each, "default");
           });
}

std::string line(std::string_view name, std::string_view value) {
    return std::string(name) + ":" + std::string(value) + "\r\n";
}

std::string line(std::string_view name, std::uint64_t value) {
    return line(name, std::to_string(value));
}

} // namespace

void run_command(call& c) {
    const auto all = all_commands();
    if (c.count() == 1) {
        c.reply.array(all.size());
        for (const command& each : all) {
            describe(c, each);
        }
    } else if (c.is(1, "COUNT")) {
        if (c.count() != 2) {
            refuse_count("command|count");
        }
        c.reply.integer(static_cast<std::int64_t>(all.size()));
    } else if (c.is(1, "INFO")) {
        c.reply.array(c.count() > 2 ? c.count() - 2 : all.size());
        for (const std::string_view name : c.arguments.subspan(2)) {
            if (const command* const found = find_command(name)) {
                describe(c, *found);
            } else {
                c.reply.null();
            }
        }
        for (const command& each : c.count() > 2 ? all.first(0) : all) {
            describe(c, each);
        }
    } else if (c.is(1, "DOCS")) {
        std::vector<const command*> wanted;
        for (const std::string_view name : c.arguments.subspan(2)) {
            if (const command* const found = find_command(name)) {
                wanted.push_back(found);
            }
        }
        for (const command& each : c.count() > 2 ? all.first(0) : all) {
            wanted.push_back(&each);
        }
        c.reply.map(wanted.size());
        for (const command* const each : wanted) {
            document(c, *each);
        }
    } else {
        refuse_subcommand("COMMAND", c[1]);
    }
}

void run_config(call& c) {
    if (!c.is(1, "GET")) {
        refuse_subcommand("CONFIG", c[1]);
    }
    if (c.count() < 3) {
        refuse_count("config|get");
    }
    std::vector<const setting*> found;
    for (const setting& each : settings) {
        const bool is_wanted = std::ranges::any_of(c.arguments.subspan(2), [&](std::string_view pattern) {
            std::string lower(pattern);
            std::ranges::transform(lower, lower.begin(), to_lower);
            return matches_glob(lower, each.name);
        });
        if (is_wanted) {
            found.push_back(&each);
        }
    }
    c.reply.map(found.size());
    for (const setting* const each : found) {
        c.reply.bulk(each->name);
        c.reply.bulk(each->value);
    }
}

void run_info(call& c) {
    const replication::node_status status = c.owner.peers().status();
    const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(c.owner.peers().uptime()).count();
    std::string text;
    const auto section = [&](std::string_view name) {
        if (!wants(c, name)) {
            return false;
        }
        text += (text.empty() ? "# " : "\r\n# ") + std::string(name) + "\r\n";
        return true;
    };
    if (section("Server")) {
        text += line("redis_version", "7.0.15");
        text += line("redis_mode", "standalone");
        text += line("phoenix_version", PHOENIX_VERSION_STRING);
        text += line("phoenix_id", status.self.node);
        text += line("phoenix_incarnation", status.self.incarnation);
        text += line("phoenix_driver", status.driver);
        text += line("uptime_in_seconds", static_cast<std::uint64_t>(uptime));
    }
    if (section("Clients")) {
        text += line("connected_clients", c.owner.clients().size());
    }
    if (section("Stats")) {
        text += line("total_connections_received", c.owner.connections());
        text += line("total_commands_processed", c.owner.executed());
    }
    if (section("Replication")) {
        text += line("role", "master");
        text += line("connected_slaves", 0U);
        text += line("phoenix_links", status.links.size());
        text += line("phoenix_peers", status.peers.size());
    }
    if (section("Keyspace") && c.keys().size() > 0) {
        text += line("db0", "keys=" + std::to_string(c.keys().size()) + ",expires=0,avg_ttl=0");
    }
    c.reply.text(text);
}

} // namespace resp
