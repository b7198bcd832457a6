// RESP, the protocol of Redis: requests read as they arrive, replies written in version 2 or 3.
//
//   request_parser requests;
//   requests.feed(bytes);                                  // whatever the socket gave
//   while (requests.next() == request_parser::outcome::request) {
//       execute(requests.arguments());                     // views, valid until the next call of either
//   }
//
// Requests are arrays of bulk strings, or inline commands with Redis's quoting. What lies whole in the bytes that were fed
// is handed out where it lies; only the part of a request that the next bytes complete is copied. Limits are checked
// before memory is taken. What breaks the protocol ends it: error() is Redis's text for it, to be sent before closing.
//
// Values: no socket, no thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace resp {

struct request_limits {
    /// As Redis.
    std::size_t arguments_max = 1024UL * 1024;
    std::size_t inline_bytes_max = 64UL * 1024;
    /// Redis takes 512 MiB; an object here also travels to every peer.
    std::size_t bulk_bytes_max = 16UL * 1024 * 1024;
    /// All of one request, with what frames it.
    std::size_t request_bytes_max = 64UL * 1024 * 1024;
};

/// An integer as Redis knows one: no leading zeros, plus or spaces.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;

class request_parser {
public:
    enum class outcome : std::uint8_t {
        request, ///< arguments() has one; it may be without any, which asks for nothing
        more,    ///< all that was fed is read
        error,   ///< error() says what; nothing more is read
    };

    explicit request_parser(const request_limits& limits = {}) : limits_(limits) {}

    /// The bytes after those of the last feed, of which all must have been read. They must stay where they are until the
    /// next feed, or until next() has said `more`.
    void feed(std::string_view bytes);

    [[nodiscard]] outcome next();

    [[nodiscard]] std::span<const std::string_view> arguments() const noexcept { return arguments_; }

    /// Copies what was fed and is not read yet: the bytes of the last feed may go then, and more be fed. The arguments of
    /// the last request are gone, too.
    void hold();

    /// As it goes behind "-ERR ".
    [[nodiscard]] const std::string& error() const noexcept { return error_; }

    /// What is held of requests that were not read.
    [[nodiscard]] std::size_t held_bytes() const noexcept { return held_.size(); }

private:
    struct piece {
        std::size_t at;
        std::size_t size;
    };

    /// True when a whole request was read, from begin_.
    [[nodiscard]] bool read_request();
    [[nodiscard]] bool read_array();
    [[nodiscard]] bool read_bulk();
    [[nodiscard]] bool read_inline();
    /// The line from position_ on without its end, if that has come.
    [[nodiscard]] bool read_line(std::string_view& line, std::size_t bytes_max, const char* too_long);
    void split(std::string_view line);
    void finish();
    void fail(std::string text);

    request_limits limits_;
    /// What is read: held_, or the bytes that were fed.
    std::string_view input_;
    std::size_t begin_ = 0;
    std::size_t position_ = 0;

    // --- Of the request under way. Places are relative to begin_.
    bool in_array_ = false;
    std::size_t bulks_left_ = 0;
    bool in_bulk_ = false;
    std::size_t bulk_size_ = 0;
    std::vector<piece> pieces_;

    std::vector<std::string_view> arguments_;
    /// Of an inline command with quotes, whose arguments are not as they came.
    std::vector<std::string> unquoted_;
    std::string held_;
    std::string error_;
};

/// Appends replies to one buffer. Aggregates say how many elements follow, a map how many pairs.
class reply_writer {
public:
    explicit reply_writer(int protocol = 2) noexcept : protocol_(protocol) {}

    /// 2 or 3, from the next reply on.
    void set_protocol(int protocol) noexcept { protocol_ = protocol; }

    [[nodiscard]] int protocol() const noexcept { return protocol_; }

    void simple(std::string_view text);
    /// `text` with its code, as "ERR syntax error"; line ends in it become spaces.
    void error(std::string_view text);

    void integer(std::int64_t value) { head(':', value); }

    void bulk(std::string_view bytes);
    /// Text for people: a verbatim string in version 3.
    void text(std::string_view lines);
    void real(double value);
    void boolean(bool value);
    void null();

    void array(std::size_t elements) { head('*', static_cast<std::int64_t>(elements)); }

    void set(std::size_t elements);
    void map(std::size_t pairs);

    void ok() { bytes_ += "+OK\r\n"; }

    [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }

    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

    /// Drops what was written from `size` on: an error takes the place of what a command began to say.
    void cut_back(std::size_t size) { bytes_.resize(size); }

    /// Keeps the memory of ordinary replies alone.
    void clear();

private:
    void head(char kind, std::int64_t value);

    int protocol_;
    std::string bytes_;
};

} // namespace resp
