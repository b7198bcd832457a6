// The operations of registers, as values. A register's `operation` lists those that it takes.
#pragma once

#include <phoenix/crdt/bytes.hpp>
#include <phoenix/crdt/hybrid_clock.hpp>

#include <utility>

namespace phoenix::crdt {

template <byte_value Value>
struct register_operations {
    struct set {
        Value value;

        friend bool operator==(const set&, const set&) = default;

        void write(byte_writer& out) const { write_value(out, value); }

        [[nodiscard]] static set read(byte_reader& in) { return {read_value<Value>(in)}; }
    };

    struct clear {
        friend bool operator==(const clear&, const clear&) = default;

        void write(byte_writer& /*out*/) const {}

        [[nodiscard]] static clear read(byte_reader& /*in*/) { return {}; }
    };
};

/// Of registers whose writes have a time.
template <byte_value Value>
struct timed_register_operations {
    struct set {
        Value value;
        timestamp time;

        friend bool operator==(const set&, const set&) = default;

        void write(byte_writer& out) const {
            write_value(out, value);
            time.write(out);
        }

        [[nodiscard]] static set read(byte_reader& in) {
            Value value = read_value<Value>(in);
            return {std::move(value), timestamp::read(in)};
        }
    };

    using clear = typename register_operations<Value>::clear;
};

} // namespace phoenix::crdt
