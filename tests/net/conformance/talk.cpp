#include "talk.hpp"

#include "machine.hpp"

#include <array>
#include <cstring>

namespace phoenix::net::conformance {

task<stream> accept_one(listener& door) {
    co_return co_await door.accept();
}

task<connection> connect_pair(listener& door, stream_options options) {
    auto both = co_await when_all(connect(door.local_endpoint(), options), accept_one(door));
    co_return connection(std::move(std::get<0>(both)), std::move(std::get<1>(both)));
}

task<std::error_code> code_of(task<> work) {
    std::error_code code;
    try {
        co_await std::move(work);
    } catch (const std::system_error& e) {
        code = e.code();
    }
    co_return code;
}

task<> write_all(stream& to, std::span<const std::byte> data) {
    co_await to.write(data);
}

task<> write_text(stream& to, std::string text) {
    co_await to.write(text);
}

task<> read_once(stream& from) {
    const auto dropped = co_await from.read_some();
    static_cast<void>(dropped);
}

task<std::string> read_to_end(stream& from) {
    std::string all;
    for (;;) {
        const auto data = co_await from.read_some();
        if (data.empty()) {
            co_return all;
        }
        all += text_of(data);
    }
}

task<std::string> read_text(stream& from, std::size_t size) {
    std::string text(size, '\0');
    co_await from.read_exactly(std::as_writable_bytes(std::span<char>(text.data(), text.size())));
    co_return text;
}

task<> echo(stream peer) {
    for (;;) {
        const auto data = co_await peer.read_some();
        if (data.empty()) {
            co_return;
        }
        co_await peer.write(data);
    }
}

task<> turns(int count) {
    for (int left = count; left > 0; --left) {
        co_await next_turn();
    }
}

std::vector<std::byte> pattern(std::size_t size, std::uint64_t salt) {
    std::vector<std::byte> bytes(size);
    auto random = seeded(salt);
    std::size_t done = 0;
    while (done < size) {
        const std::uint64_t word = random();
        const std::size_t piece = std::min(sizeof word, size - done);
        std::memcpy(bytes.data() + done, &word, piece);
        done += piece;
    }
    return bytes;
}

void checksum::add(std::span<const std::byte> data) noexcept {
    const auto mix = [this](std::uint64_t word) {
        value_ = (value_ ^ word) * 0x9e3779b97f4a7c15U;
        value_ ^= value_ >> 29;
    };
    while (!data.empty()) {
        const std::size_t at = size_ % sizeof word_;
        if (at == 0 && data.size() >= sizeof word_) {
            std::uint64_t word = 0;
            std::memcpy(&word, data.data(), sizeof word);
            mix(word);
            size_ += sizeof word;
            data = data.subspan(sizeof word);
            continue;
        }
        std::memcpy(reinterpret_cast<std::byte*>(&word_) + at, data.data(), 1);
        data = data.subspan(1);
        ++size_;
        if (size_ % sizeof word_ == 0) {
            mix(word_);
        }
    }
}

stream_options narrow() {
    stream_options options;
    options.send_buffer_bytes = 4096;
    options.receive_buffer_bytes = 4096;
    return options;
}

listener_options narrow_listener() {
    listener_options options;
    options.accepted = narrow();
    return options;
}

} // namespace phoenix::net::conformance
