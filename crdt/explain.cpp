#include <phoenix/crdt/causal_context.hpp>
#include <phoenix/crdt/explain.hpp>

#include <charconv>
#include <iterator>
#include <utility>

namespace phoenix::crdt {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

const char* name(explanation::verdict outcome) noexcept {
    switch (outcome) {
    case explanation::verdict::stands:
        return "stands";
    case explanation::verdict::loses:
        return "loses";
    case explanation::verdict::gone:
        return "gone";
    }
    return "unknown";
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& each : parts) {
        text += (text.empty() ? "" : "/") + each;
    }
    return text;
}

} // namespace

void explanation::add(verdict outcome, std::string value, std::string why, std::vector<dot> dots) {
    entries.push_back({joined(path), outcome, std::move(value), std::move(why), std::move(dots)});
}

void explanation::add_gone(const causal_context& context, const causal_context& live) {
    context.without(live).for_each_interval([this](const replica_id& replica, std::uint64_t first,
                                                   std::uint64_t last) {
        std::vector<dot> run{{replica, first}};
        if (last > first) {
            run.push_back({replica, last});
        }
        add(verdict::gone, {}, std::to_string(last - first + 1) + " removed or superseded", std::move(run));
    });
}

std::string to_text(const dot& d) {
    return std::to_string(d.replica.node) + "." + std::to_string(d.replica.incarnation) + ":" +
           std::to_string(d.counter);
}

std::string to_text(const explanation& facts) {
    std::string text;
    for (const explanation::entry& each : facts.entries) {
        text += name(each.outcome);
        if (!each.where.empty()) {
            text += " " + each.where;
        }
        if (!each.value.empty()) {
            text += (each.where.empty() ? " " : " = ") + each.value;
        }
        if (!each.dots.empty()) {
            text += " by";
            for (const dot& by : each.dots) {
                text += " " + to_text(by);
            }
        }
        if (!each.why.empty()) {
            text += " (" + each.why + ")";
        }
        text += "\n";
    }
    return text;
}

std::string to_json(const explanation& facts) {
    std::string text;
    for (const explanation::entry& each : facts.entries) {
        text += "{\"where\":" + quoted_text(each.where) + ",\"outcome\":\"" + name(each.outcome) +
                "\",\"value\":" + quoted_text(each.value) + ",\"why\":" + quoted_text(each.why) +
                ",\"dots\":[";
        for (std::size_t i = 0; i < each.dots.size(); ++i) {
            const dot& by = each.dots[i];
            text += (i > 0 ? "," : "") + ("{\"node\":" + std::to_string(by.replica.node)) +
                    ",\"incarnation\":" + std::to_string(by.replica.incarnation) +
                    ",\"counter\":" + std::to_string(by.counter) + "}";
        }
        text += "]}\n";
    }
    return text;
}

std::string quoted_text(std::string_view value) {
    std::string text = "\"";
    for (const char each : value) {
        const auto code = static_cast<unsigned char>(each);
        if (each == '"' || each == '\\') {
            text += '\\';
            text += each;
        } else if (code < 0x20 || code == 0x7f) {
            text += "\\u00";
            text += hex_digits[code >> 4];
            text += hex_digits[code & 15];
        } else {
            text += each;
        }
    }
    return text + "\"";
}

bool detail::is_utf8(std::string_view text) noexcept {
    // Unicode 15, table 3-7: of the bytes behind the first, only the second has limits of its own.
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = [&](std::size_t ahead) {
            return at + ahead < text.size() ? static_cast<unsigned char>(text[at + ahead]) : 0U;
        };
        const unsigned first = byte(0);
        const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        if (length > 1) {
            const unsigned least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
            const unsigned most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
            if (first < 0xc2 || first > 0xf4 || byte(1) < least || byte(1) > most) {
                return false;
            }
        }
        for (std::size_t ahead = 2; ahead < length; ++ahead) {
            if (byte(ahead) < 0x80 || byte(ahead) > 0xbf) {
                return false;
            }
        }
        at += length;
    }
    return true;
}

std::string real_text(double number) {
    char digits[32];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), number);
    std::string text(std::begin(digits), end.ptr);
    return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

std::string hex_text(std::span<const std::byte> bytes) {
    std::string text = "0x";
    for (const std::byte each : bytes) {
        text += hex_digits[static_cast<unsigned>(each) >> 4];
        text += hex_digits[static_cast<unsigned>(each) & 15];
    }
    return text;
}

} // namespace phoenix::crdt
