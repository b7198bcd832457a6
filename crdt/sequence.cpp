#include <phoenix/crdt/sequence.hpp>

#include <string>

namespace phoenix::crdt {

void sequence_position::write(byte_writer& out) const {
    write_value(out, stays_with);
    out.write_varint(element.counter);
    if (element.counter > 0) {
        out.write_varint(element.replica.node);
        out.write_varint(element.replica.incarnation);
    }
}

sequence_position sequence_position::read(byte_reader& in) {
    sequence_position made;
    made.stays_with = in.read_varint(1, "a neighbour") == 0 ? neighbour::next : neighbour::previous;
    made.element.counter = in.read_varint(detail::max_counter, "the dot of an element");
    if (made.element.counter > 0) {
        made.element.replica.node = in.read_varint();
        made.element.replica.incarnation = in.read_varint();
    }
    return made;
}

namespace detail {

void append_utf8(std::string& text, char32_t character) {
    if (character > 0x10'ffff || (character >= 0xd800 && character <= 0xdfff)) {
        character = 0xfffd;
    }
    const auto append = [&](char32_t bits) {
        text += static_cast<char>(bits);
    };
    if (character < 0x80) {
        append(character);
    } else if (character < 0x800) {
        append(0xc0 | character >> 6);
        append(0x80 | (character & 0x3f));
    } else if (character < 0x1'0000) {
        append(0xe0 | character >> 12);
        append(0x80 | (character >> 6 & 0x3f));
        append(0x80 | (character & 0x3f));
    } else {
        append(0xf0 | character >> 18);
        append(0x80 | (character >> 12 & 0x3f));
        append(0x80 | (character >> 6 & 0x3f));
        append(0x80 | (character & 0x3f));
    }
}

} // namespace detail

} // namespace phoenix::crdt
