"""Just enough of codec/WIRE.md to break it: frames with right and wrong checksums, and a captured hello with other values."""

import struct

HELLO = 1
HEADER = struct.Struct("<IBBBBII")  # crc, kind, lane, compression, flags, length, raw_length


def table():
    made = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        made.append(value)
    return made


TABLE = table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283


def frame(kind, payload, lane=0, compression=0, flags=0, length=None, wrong_crc=False):
    """A frame as WIRE.md has it, but for what is asked to be otherwise."""
    length = len(payload) if length is None else length
    rest = HEADER.pack(0, kind, lane, compression, flags, length, length)[4:] + payload
    crc = crc32c(rest) ^ (1 if wrong_crc else 0)
    return struct.pack("<I", crc) + rest + bytes(-len(payload) % 8)


def first_frame(stream):
    """Kind, payload and rest of what was captured from a connection, or None as long as it is not whole."""
    if len(stream) < HEADER.size:
        return None
    _, kind, _, _, _, length, _ = HEADER.unpack_from(stream)
    end = HEADER.size + length
    whole = end + -length % 8
    return None if len(stream) < whole else (kind, bytes(stream[HEADER.size:end]), bytes(stream[whole:]))


def with_field(payload, number, layout, value):
    """The FlatBuffer with another value in scalar field `number` of its root table."""
    changed = bytearray(payload)
    root, = struct.unpack_from("<I", changed, 0)
    vtable = root - struct.unpack_from("<i", changed, root)[0]
    offset, = struct.unpack_from("<H", changed, vtable + 4 + 2 * number)
    assert offset != 0, f"field {number} is absent"
    struct.pack_into(layout, changed, root + offset, value)
    return bytes(changed)
