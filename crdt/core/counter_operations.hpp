// The operations of counters, as values. A counter's `operation` lists those that it takes.
#pragma once

#include <phoenix/crdt/bytes.hpp>

#include <cstdint>

namespace phoenix::crdt {

struct counter_operations {
    struct increment {
        std::int64_t amount = 1;

        friend bool operator==(const increment&, const increment&) = default;

        void write(byte_writer& out) const { write_value(out, amount); }

        [[nodiscard]] static increment read(byte_reader& in) { return {read_value<std::int64_t>(in)}; }
    };

    struct decrement {
        std::int64_t amount = 1;

        friend bool operator==(const decrement&, const decrement&) = default;

        void write(byte_writer& out) const { write_value(out, amount); }

        [[nodiscard]] static decrement read(byte_reader& in) { return {read_value<std::int64_t>(in)}; }
    };

    struct reset {
        friend bool operator==(const reset&, const reset&) = default;

        void write(byte_writer& /*out*/) const {}

        [[nodiscard]] static reset read(byte_reader& /*in*/) { return {}; }
    };
};

} // namespace phoenix::crdt
