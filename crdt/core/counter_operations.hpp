// The operations that counters have in common, as values.
#pragma once

#include <phoenix/crdt/bytes.hpp>

#include <cstdint>

namespace phoenix::crdt {

struct counter_operations {
    struct increment {
        std::int64_t amount = 1;

        void write(byte_writer& out) const { write_value(out, amount); }

        [[nodiscard]] static increment read(byte_reader& in) { return {read_value<std::int64_t>(in)}; }
    };

    struct decrement {
        std::int64_t amount = 1;

        void write(byte_writer& out) const { write_value(out, amount); }

        [[nodiscard]] static decrement read(byte_reader& in) { return {read_value<std::int64_t>(in)}; }
    };
};

} // namespace phoenix::crdt
