// Random numbers, bytes and messages, of one seed.
#pragma once

#include <phoenix/codec/messages.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::codec::testing {

class random_frames {
public:
    explicit random_frames(std::uint64_t seed) : engine_(seed) {}

    /// Below `bound`.
    [[nodiscard]] std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_);
    }

    [[nodiscard]] bool coin() { return below(2) == 0; }

    /// Small ones, large ones, and those at the ends.
    [[nodiscard]] std::uint64_t number() {
        switch (below(4)) {
        case 0:
            return below(4);
        case 1:
            return ~std::uint64_t{below(4)};
        default:
            return engine_() >> below(64);
        }
    }

    [[nodiscard]] std::vector<std::byte> bytes(std::size_t size) {
        std::vector<std::byte> made(size);
        for (std::byte& each : made) {
            each = static_cast<std::byte>(engine_());
        }
        return made;
    }

    [[nodiscard]] std::string text(std::size_t size) {
        std::string made(size, ' ');
        for (char& each : made) {
            each = static_cast<char>('a' + below(26));
        }
        return made;
    }

    template <std::size_t Size>
    [[nodiscard]] std::array<std::byte, Size> array() {
        std::array<std::byte, Size> made;
        std::ranges::copy(bytes(Size), made.begin());
        return made;
    }

    [[nodiscard]] identity some_identity() { return {number(), number()}; }

    [[nodiscard]] stamp some_stamp() { return {number(), static_cast<std::uint32_t>(number())}; }

    [[nodiscard]] std::vector<vector_entry> some_vector() {
        std::map<identity, std::uint64_t> entries;
        for (std::size_t left = below(6); left > 0; --left) {
            entries[some_identity()] = 1 + number() / 2;
        }
        std::vector<vector_entry> made;
        for (const auto& [origin, reached] : entries) {
            made.push_back({origin, reached});
        }
        return made;
    }

    [[nodiscard]] batch_head some_head() {
        const std::uint64_t first = 1 + number() / 2;
        return {some_identity(), first, first + number() / 4, some_stamp()};
    }

    /// Entries by type and key.
    using entries = std::map<std::pair<std::uint64_t, std::vector<std::byte>>, std::vector<std::byte>>;

    [[nodiscard]] entries some_entries(std::size_t most) {
        entries made;
        for (std::size_t left = below(most + 1); left > 0; --left) {
            made[{number() % 5, bytes(below(12))}] = bytes(below(40));
        }
        return made;
    }

private:
    std::mt19937_64 engine_;
};

template <class Message>
[[nodiscard]] Message some(random_frames& from);

template <>
inline hello some(random_frames& from) {
    const auto low = static_cast<std::uint16_t>(1 + from.below(9));
    return {.wire_min = low,
            .wire_max = static_cast<std::uint16_t>(low + from.below(9)),
            .cluster = from.text(from.below(30)),
            .self = from.some_identity(),
            .wall_us = from.number(),
            .nonce = from.array<32>()};
}

template <>
inline proof some(random_frames& from) {
    return {from.array<32>()};
}

template <>
inline welcome some(random_frames& from) {
    std::map<std::string, std::uint64_t> types;
    for (std::size_t left = from.below(6); left > 0; --left) {
        types[from.text(1 + from.below(10))] = from.number();
    }
    welcome made{.software = from.text(from.below(20)),
                 .features = from.number(),
                 .frame_bytes_max = static_cast<std::uint32_t>(1024 + from.below(1 << 20)),
                 .window_bytes = (1 << 21) + from.number() / 2,
                 .types = {},
                 .entries_max = static_cast<std::uint32_t>(from.number()),
                 .key_bytes_max = static_cast<std::uint32_t>(from.number()),
                 .object_bytes_max = from.number()};
    for (const auto& [name, fingerprint] : types) {
        made.types.push_back({name, fingerprint});
    }
    return made;
}

template <>
inline bye some(random_frames& from) {
    return {static_cast<std::uint16_t>(from.number()), from.text(from.below(50)), from.number()};
}

template <>
inline ping some(random_frames& from) {
    return {from.number()};
}

template <>
inline pong some(random_frames& from) {
    return {from.number()};
}

template <>
inline report some(random_frames& from) {
    std::map<identity, peer_report> peers;
    for (std::size_t left = from.below(5); left > 0; --left) {
        peer_report each{.about = from.some_identity(),
                         .batch_open = from.coin(),
                         .has = from.some_vector(),
                         .tells_neighbours = from.coin(),
                         .neighbours = {}};
        if (each.tells_neighbours) {
            for (std::size_t count = from.below(5); count > 0; --count) {
                each.neighbours.push_back(from.number());
            }
            std::ranges::sort(each.neighbours);
            const auto repeated = std::ranges::unique(each.neighbours);
            each.neighbours.erase(repeated.begin(), repeated.end());
        }
        peers[each.about] = each;
    }
    report made;
    for (const auto& [about, each] : peers) {
        made.peers.push_back(each);
    }
    return made;
}

template <>
inline behind some(random_frames& from) {
    return {from.some_vector(), from.number()};
}

template <>
inline transfer_request some(random_frames& from) {
    return {from.number(), from.some_identity(), from.number()};
}

template <>
inline transfer_begin some(random_frames& from) {
    return {from.number(), from.some_vector(), from.some_stamp(), from.number()};
}

template <>
inline transfer_ack some(random_frames& from) {
    return {from.number(), from.number()};
}

template <>
inline transfer_end some(random_frames& from) {
    return {from.number(), from.number(), from.number(), from.number()};
}

template <>
inline transfer_cancel some(random_frames& from) {
    return {from.number(), from.text(from.below(50))};
}

template <>
inline batch_ack some(random_frames& from) {
    return {from.number()};
}

[[nodiscard]] inline frame some_batch(random_frames& from, std::size_t most_entries) {
    entries_writer writer(limits{});
    for (const auto& [name, delta] : from.some_entries(most_entries)) {
        writer.add(name.first, name.second, delta);
    }
    return from.coin() ? writer.finish(from.some_head()) : writer.finish(from.number(), from.number());
}

[[nodiscard]] inline frame some_part(random_frames& from) {
    const auto key = from.bytes(from.below(20));
    const auto bytes = from.bytes(1 + from.below(100));
    const std::uint64_t offset = from.below(1000);
    const object_part part{from.number(), key, offset, offset + bytes.size() + from.below(1000), bytes};
    return from.coin() ? encode(batch_part{from.some_head(), part})
                       : encode(transfer_part{from.number(), part, from.number()});
}

/// Of any kind.
[[nodiscard]] inline frame some_frame(random_frames& from) {
    switch (from.below(16)) {
    case 0:
        return encode(some<hello>(from));
    case 1:
        return encode(some<proof>(from));
    case 2:
        return encode(some<welcome>(from));
    case 3:
        return encode(some<bye>(from));
    case 4:
        return encode(some<ping>(from));
    case 5:
        return encode(some<pong>(from));
    case 6:
        return encode(some<report>(from));
    case 7:
        return encode(some<behind>(from));
    case 8:
        return encode(some<transfer_request>(from));
    case 9:
        return encode(some<transfer_begin>(from));
    case 10:
        return encode(some<transfer_ack>(from));
    case 11:
        return encode(some<transfer_end>(from));
    case 12:
        return encode(some<transfer_cancel>(from));
    case 13:
        return encode(some<batch_ack>(from));
    case 14:
        return some_part(from);
    default:
        return some_batch(from, 20);
    }
}

} // namespace phoenix::codec::testing
