#include "protocol.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace resp {

namespace {

/// What a buffer may keep of its memory when it is empty.
constexpr std::size_t kept_bytes = 64UL * 1024;

/// Assigning an empty string would keep the memory.
void give_back(std::string& bytes) noexcept {
    std::string().swap(bytes);
}

bool is_space(char c) noexcept {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Reads what stands between double quotes, from behind the first to behind the last; nothing when that is missing.
bool read_double_quoted(std::string_view line, std::size_t& at, std::string& word) {
    for (; at < line.size(); ++at) {
        const char c = line[at];
        if (c == '"') {
            ++at;
            return true;
        }
        if (c != '\\' || at + 1 == line.size()) {
            word += c;
            continue;
        }
        if (line[at + 1] == 'x' && at + 3 < line.size() && hex_digit(line[at + 2]) >= 0 &&
            hex_digit(line[at + 3]) >= 0) {
            word += static_cast<char>(hex_digit(line[at + 2]) * 16 + hex_digit(line[at + 3]));
            at += 3;
            continue;
        }
        static constexpr std::string_view escapes = "nrtba";
        static constexpr std::string_view meanings = "\n\r\t\b\a";
        const std::size_t known = escapes.find(line[++at]);
        word += known != std::string_view::npos ? meanings[known] : line[at];
    }
    return false;
}

bool read_single_quoted(std::string_view line, std::size_t& at, std::string& word) {
    for (; at < line.size(); ++at) {
        if (line[at] == '\'') {
            ++at;
            return true;
        }
        if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '\'') {
            ++at;
        }
        word += line[at];
    }
    return false;
}

} // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
    const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_canonical = digits.starts_with('0') ? text.size() == 1 : !digits.empty();
    if (!is_canonical || error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

void request_parser::feed(std::string_view bytes) {
    if (held_.empty()) {
        input_ = bytes;
        return;
    }
    held_ += bytes;
    input_ = held_;
}

request_parser::outcome request_parser::next() {
    if (!error_.empty()) {
        return outcome::error;
    }
    arguments_.clear();
    if (begin_ < input_.size() && read_request()) {
        finish();
        return outcome::request;
    }
    if (!error_.empty()) {
        return outcome::error;
    }
    // What is left is the beginning of a request: it is held until the rest has come.
    hold();
    return outcome::more;
}

void request_parser::hold() {
    arguments_.clear();
    if (input_.data() == held_.data()) {
        held_.erase(0, begin_);
    } else {
        held_.assign(input_.substr(begin_));
    }
    if (held_.empty() && held_.capacity() > kept_bytes) {
        give_back(held_);
        unquoted_ = {};
        pieces_ = {};
        arguments_ = {};
    }
    position_ -= begin_;
    begin_ = 0;
    if (in_bulk_) {
        // In few steps, since each copies all that has come; not at once, since nothing may follow.
        constexpr std::size_t growth = 8;
        held_.reserve(std::min(position_ + bulk_size_ + 2, kept_bytes + growth * held_.size()));
    }
    input_ = held_;
}

bool request_parser::read_request() {
    const bool is_whole = in_array_ || input_[begin_] == '*' ? read_array() : read_inline();
    if (!is_whole && error_.empty() && input_.size() - begin_ > limits_.request_bytes_max) {
        fail("too big request");
    }
    return is_whole && error_.empty();
}

bool request_parser::read_array() {
    if (!in_array_) {
        std::string_view line;
        if (!read_line(line, limits_.inline_bytes_max, "too big mbulk count string")) {
            return false;
        }
        const auto count = parse_integer(line.substr(1));
        if (!count || *count > static_cast<std::int64_t>(limits_.arguments_max)) {
            fail("invalid multibulk length");
            return false;
        }
        in_array_ = true;
        bulks_left_ = *count > 0 ? static_cast<std::size_t>(*count) : 0;
    }
    for (; bulks_left_ > 0; --bulks_left_) {
        if (!read_bulk()) {
            return false;
        }
    }
    for (const piece& each : pieces_) {
        arguments_.push_back(input_.substr(begin_ + each.at, each.size));
    }
    return true;
}

bool request_parser::read_bulk() {
    if (!in_bulk_) {
        if (position_ == input_.size()) {
            return false;
        }
        if (input_[position_] != '$') {
            fail(std::string("expected '$', got '") + input_[position_] + "'");
            return false;
        }
        std::string_view line;
        if (!read_line(line, limits_.inline_bytes_max, "too big bulk count string")) {
            return false;
        }
        const auto size = parse_integer(line.substr(1));
        if (!size || *size < 0 || *size > static_cast<std::int64_t>(limits_.bulk_bytes_max)) {
            fail("invalid bulk length");
            return false;
        }
        in_bulk_ = true;
        bulk_size_ = static_cast<std::size_t>(*size);
        if (position_ - begin_ + bulk_size_ > limits_.request_bytes_max) {
            fail("too big request");
            return false;
        }
    }
    // As Redis, which does not look at the two bytes behind it.
    if (input_.size() - position_ < bulk_size_ + 2) {
        return false;
    }
    pieces_.push_back({position_ - begin_, bulk_size_});
    position_ += bulk_size_ + 2;
    in_bulk_ = false;
    return true;
}

bool request_parser::read_line(std::string_view& line, std::size_t bytes_max, const char* too_long) {
    const std::string_view rest = input_.substr(position_);
    // Redis wants "\r\n" around arrays, and takes the "\r" for the end.
    const std::size_t end = rest.find('\r');
    // Whether its end has come or not: what is too long does not depend on how the bytes arrive.
    if (std::min(end, rest.size()) > bytes_max) {
        fail(too_long);
        return false;
    }
    if (end == std::string_view::npos || end + 1 == rest.size()) {
        return false;
    }
    line = rest.substr(0, end);
    position_ += end + 2;
    return true;
}

bool request_parser::read_inline() {
    const std::string_view rest = input_.substr(begin_);
    const std::size_t end = rest.find('\n', position_ - begin_);
    if (std::min(end, rest.size()) > limits_.inline_bytes_max) {
        fail("too big inline request");
        return false;
    }
    if (end == std::string_view::npos) {
        position_ = input_.size();
        return false;
    }
    position_ = begin_ + end + 1;
    split(rest.substr(0, end > 0 && rest[end - 1] == '\r' ? end - 1 : end));
    return true;
}

void request_parser::split(std::string_view line) {
    if (line.find_first_of("\"'") == std::string_view::npos) {
        for (std::size_t at = 0; at < line.size();) {
            if (is_space(line[at])) {
                ++at;
                continue;
            }
            std::size_t end = at;
            while (end < line.size() && !is_space(line[end])) {
                ++end;
            }
            arguments_.push_back(line.substr(at, end - at));
            at = end;
        }
        return;
    }
    unquoted_.clear();
    for (std::size_t at = 0; at < line.size();) {
        if (is_space(line[at])) {
            ++at;
            continue;
        }
        std::string& word = unquoted_.emplace_back();
        while (at < line.size() && !is_space(line[at])) {
            const char c = line[at++];
            if (c != '"' && c != '\'') {
                word += c;
                continue;
            }
            const bool is_closed =
                c == '"' ? read_double_quoted(line, at, word) : read_single_quoted(line, at, word);
            // A closing quote ends a word.
            if (!is_closed || (at < line.size() && !is_space(line[at]))) {
                fail("unbalanced quotes in request");
                return;
            }
        }
    }
    arguments_.assign(unquoted_.begin(), unquoted_.end());
}

void request_parser::finish() {
    begin_ = position_;
    in_array_ = false;
    pieces_.clear();
}

void request_parser::fail(std::string text) {
    error_ = "Protocol error: " + std::move(text);
    give_back(held_);
    input_ = {};
    begin_ = position_ = 0;
    arguments_.clear();
}

void reply_writer::head(char kind, std::int64_t value) {
    std::array<char, 24> line;
    line[0] = kind;
    char* end = std::to_chars(line.data() + 1, line.data() + line.size(), value).ptr;
    *end++ = '\r';
    *end++ = '\n';
    bytes_.append(line.data(), end);
}

void reply_writer::simple(std::string_view text) {
    bytes_ += '+';
    bytes_ += text;
    bytes_ += "\r\n";
}

void reply_writer::error(std::string_view text) {
    bytes_ += '-';
    const std::size_t from = bytes_.size();
    bytes_ += text;
    std::replace_if(
        bytes_.begin() + static_cast<std::ptrdiff_t>(from), bytes_.end(),
        [](char c) { return c == '\r' || c == '\n'; }, ' ');
    bytes_ += "\r\n";
}

void reply_writer::bulk(std::string_view bytes) {
    head('$', static_cast<std::int64_t>(bytes.size()));
    bytes_ += bytes;
    bytes_ += "\r\n";
}

void reply_writer::text(std::string_view lines) {
    if (protocol_ < 3) {
        bulk(lines);
        return;
    }
    head('=', static_cast<std::int64_t>(lines.size() + 4));
    bytes_ += "txt:";
    bytes_ += lines;
    bytes_ += "\r\n";
}

void reply_writer::real(double value) {
    std::array<char, 32> digits;
    std::string_view shown;
    if (std::isnan(value)) {
        shown = "nan";
    } else if (std::isinf(value)) {
        shown = value > 0 ? "inf" : "-inf";
    } else {
        shown = {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr};
    }
    if (protocol_ < 3) {
        bulk(shown);
        return;
    }
    bytes_ += ',';
    bytes_ += shown;
    bytes_ += "\r\n";
}

void reply_writer::boolean(bool value) {
    if (protocol_ < 3) {
        integer(value ? 1 : 0);
        return;
    }
    bytes_ += value ? "#t\r\n" : "#f\r\n";
}

void reply_writer::null() {
    bytes_ += protocol_ < 3 ? "$-1\r\n" : "_\r\n";
}

void reply_writer::set(std::size_t elements) {
    head(protocol_ < 3 ? '*' : '~', static_cast<std::int64_t>(elements));
}

void reply_writer::map(std::size_t pairs) {
    if (protocol_ < 3) {
        array(2 * pairs);
    } else {
        head('%', static_cast<std::int64_t>(pairs));
    }
}

void reply_writer::clear() {
    if (bytes_.capacity() > kept_bytes) {
        give_back(bytes_);
    } else {
        bytes_.clear();
    }
}

} // namespace resp
