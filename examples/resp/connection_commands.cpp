#include "command.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace resp {

namespace {

constexpr std::size_t name_bytes_max = 64UL * 1024;

/// There is no password: the default user may come in with any.
void authenticate(std::string_view user) {
    if (user != "default") {
        refuse("WRONGPASS invalid username-password pair or user is disabled.");
    }
}

std::string printable(std::string_view text, std::string_view what) {
    const bool is_good = std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~'; });
    if (!is_good || text.size() > name_bytes_max) {
        refuse("ERR " + std::string(what) + " cannot contain spaces, newlines or special characters.");
    }
    return std::string(text);
}

void append_info(std::string& out, const client_state& client) {
    out += "id=" + std::to_string(client.id) + " addr=" + client.address + " name=" + client.name +
           " db=0 cmd=" + std::string(client.last != nullptr ? client.last->name : "NULL") +
           " resp=" + std::to_string(client.protocol) + " lib-name=" + client.library +
           " lib-ver=" + client.library_version + "\n";
}

void expect_count(const call& c, std::size_t count, std::string_view subcommand) {
    if (c.count() != count) {
        refuse_count("client|" + std::string(subcommand));
    }
}

} // namespace

void run_ping(call& c) {
    if (c.count() > 2) {
        refuse_count("ping");
    }
    if (c.count() == 2) {
        c.reply.bulk(c[1]);
    } else {
        c.reply.simple("PONG");
    }
}

void run_echo(call& c) {
    c.reply.bulk(c[1]);
}

void run_quit(call& c) {
    c.reply.ok();
    c.then.what = outcome::kind::close;
}

void run_reset(call& c) {
    c.client.name.clear();
    c.client.protocol = 2;
    c.reply.set_protocol(2);
    c.reply.simple("RESET");
}

void run_select(call& c) {
    if (integer_argument(c[1]) != 0) {
        refuse("ERR DB index is out of range");
    }
    c.reply.ok();
}

void run_auth(call& c) {
    if (c.count() > 3) {
        refuse_syntax();
    }
    if (c.count() == 2) {
        refuse(
            "ERR AUTH <password> called without any password configured for the default user. Are you sure "
            "your configuration is correct?");
    }
    authenticate(c[1]);
    c.reply.ok();
}

void run_hello(call& c) {
    int protocol = c.client.protocol;
    std::size_t next = 1;
    if (c.count() > 1) {
        const auto wanted = parse_integer(c[1]);
        if (!wanted) {
            refuse("ERR Protocol version is not an integer or out of range");
        }
        if (*wanted < 2 || *wanted > 3) {
            refuse("NOPROTO unsupported protocol version");
        }
        protocol = static_cast<int>(*wanted);
        next = 2;
    }
    std::string name = c.client.name;
    while (next < c.count()) {
        if (c.is(next, "AUTH") && next + 2 < c.count()) {
            authenticate(c[next + 1]);
            next += 3;
        } else if (c.is(next, "SETNAME") && next + 1 < c.count()) {
            name = printable(c[next + 1], "Client names");
            next += 2;
        } else {
            refuse("ERR Syntax error in HELLO option '" + std::string(c[next]) + "'");
        }
    }
    c.client.name = std::move(name);
    c.client.protocol = protocol;
    c.reply.set_protocol(protocol);
    c.reply.map(7);
    c.reply.bulk("server");
    c.reply.bulk("redis");
    c.reply.bulk("version");
    c.reply.bulk("7.0.15");
    c.reply.bulk("proto");
    c.reply.integer(protocol);
    c.reply.bulk("id");
    c.reply.integer(static_cast<std::int64_t>(c.client.id));
    c.reply.bulk("mode");
    c.reply.bulk("standalone");
    c.reply.bulk("role");
    c.reply.bulk("master");
    c.reply.bulk("modules");
    c.reply.array(0);
}

void run_client(call& c) {
    if (c.is(1, "SETNAME")) {
        expect_count(c, 3, "setname");
        c.client.name = printable(c[2], "Client names");
        c.reply.ok();
    } else if (c.is(1, "GETNAME")) {
        expect_count(c, 2, "getname");
        if (c.client.name.empty()) {
            c.reply.null();
        } else {
            c.reply.bulk(c.client.name);
        }
    } else if (c.is(1, "SETINFO")) {
        expect_count(c, 4, "setinfo");
        if (c.is(2, "LIB-NAME")) {
            c.client.library = printable(c[3], "lib-name");
        } else if (c.is(2, "LIB-VER")) {
            c.client.library_version = printable(c[3], "lib-ver");
        } else {
            refuse("ERR Unrecognized option '" + std::string(c[2]) + "'");
        }
        c.reply.ok();
    } else if (c.is(1, "ID")) {
        expect_count(c, 2, "id");
        c.reply.integer(static_cast<std::int64_t>(c.client.id));
    } else if (c.is(1, "INFO")) {
        expect_count(c, 2, "info");
        std::string text;
        append_info(text, c.client);
        c.reply.text(text);
    } else if (c.is(1, "LIST")) {
        if (c.count() > 2) {
            refuse_option("CLIENT LIST " + std::string(c[2]), "it lists all clients");
        }
        std::string text;
        for (const auto& [id, client] : c.owner.clients()) {
            append_info(text, *client);
        }
        c.reply.text(text);
    } else {
        refuse_subcommand("CLIENT", c[1]);
    }
}

} // namespace resp
