// The operations of sets, as values. A set's `operation` lists those that it takes.
#pragma once

#include <phoenix/crdt/bytes.hpp>

namespace phoenix::crdt {

template <byte_value Element>
struct set_operations {
    struct add {
        Element element;

        friend bool operator==(const add&, const add&) = default;

        void write(byte_writer& out) const { write_value(out, element); }

        [[nodiscard]] static add read(byte_reader& in) { return {read_value<Element>(in)}; }
    };

    struct remove {
        Element element;

        friend bool operator==(const remove&, const remove&) = default;

        void write(byte_writer& out) const { write_value(out, element); }

        [[nodiscard]] static remove read(byte_reader& in) { return {read_value<Element>(in)}; }
    };

    struct clear {
        friend bool operator==(const clear&, const clear&) = default;

        void write(byte_writer& /*out*/) const {}

        [[nodiscard]] static clear read(byte_reader& /*in*/) { return {}; }
    };
};

} // namespace phoenix::crdt
