// A FlatBuffer written by hand, as another language or an enemy might: one table, its fields and columns where one likes.
//
//   const auto payload = hand_made().number(0, 7).column<std::uint32_t>(2, {1, 2}).payload();
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <vector>

namespace phoenix::codec::testing {

/// Bytes that begin at a multiple of 8.
class aligned_bytes {
public:
    explicit aligned_bytes(std::span<const std::byte> from)
        : words_((from.size() + 7) / 8), size_(from.size()) {
        std::ranges::copy(from, bytes().begin());
    }

    [[nodiscard]] std::span<std::byte> bytes() {
        return std::as_writable_bytes(std::span(words_)).first(size_);
    }

    [[nodiscard]] std::span<const std::byte> bytes() const {
        return std::as_bytes(std::span(words_)).first(size_);
    }

private:
    std::vector<std::uint64_t> words_;
    std::size_t size_;
};

class hand_made {
public:
    hand_made& number(std::size_t id, std::uint64_t value) {
        fields_[id] = {.present = true, .value = value, .column = {}};
        return *this;
    }

    /// `aside` moves the elements off their alignment; `more` is added to the length that is announced.
    template <class Element>
    hand_made& column(std::size_t id, const std::vector<Element>& values, std::size_t aside = 0,
                      std::uint32_t more = 0) {
        fields_[id] = {.present = true, .value = 0, .column = {}, .is_column = true, .aside = aside};
        fields_[id].length = static_cast<std::uint32_t>(values.size()) + more;
        std::ranges::copy(std::as_bytes(std::span(values)), std::back_inserter(fields_[id].column));
        return *this;
    }

    [[nodiscard]] aligned_bytes payload() const {
        constexpr std::size_t vtable = 8;
        constexpr std::size_t table = vtable + 4 + 2 * fields + 4;
        static_assert(table % 8 == 0);
        std::vector<std::byte> out(table + 8 + 8 * fields);
        put(out, 0, static_cast<std::uint32_t>(table));
        put(out, vtable, static_cast<std::uint16_t>(4 + 2 * fields));
        put(out, vtable + 2, static_cast<std::uint16_t>(8 + 8 * fields));
        put(out, table, static_cast<std::uint32_t>(table - vtable));
        for (std::size_t id = 0; id < fields; ++id) {
            const field& each = fields_[id];
            const std::size_t at = 8 + 8 * id;
            put(out, vtable + 4 + 2 * id, static_cast<std::uint16_t>(each.present ? at : 0));
            if (!each.is_column) {
                put(out, table + at, each.value);
                continue;
            }
            out.resize((out.size() + 7) / 8 * 8 + 4 + each.aside);
            put(out, table + at, static_cast<std::uint32_t>(out.size() - (table + at)));
            out.resize(out.size() + 4);
            put(out, out.size() - 4, each.length);
            out.insert(out.end(), each.column.begin(), each.column.end());
        }
        out.resize((out.size() + 15) / 8 * 8);
        return aligned_bytes(out);
    }

private:
    static constexpr std::size_t fields = 12;

    struct field {
        bool present = false;
        std::uint64_t value = 0;
        std::vector<std::byte> column = {};
        bool is_column = false;
        std::size_t aside = 0;
        std::uint32_t length = 0;
    };

    template <class Number>
    static void put(std::vector<std::byte>& out, std::size_t at, Number value) {
        std::memcpy(out.data() + at, &value, sizeof value);
    }

    std::array<field, fields> fields_{};
};

} // namespace phoenix::codec::testing
