// What a reader accepts, checked before any memory is taken.
//
//   limits mine;
//   mine.frame_bytes_max = 256 * 1024;
//   mine.validate();
//   frame_reader reader(mine);
//
// Encoding checks the same limits, so that nothing is made that a peer with them refuses. All nodes of a cluster have the
// same for frames, entries, keys and objects: peers tell each other theirs in their welcomes. Any thread.
#pragma once

#include <cstdint>

namespace phoenix::codec {

struct limits {
    /// Payload of a frame; 1 KiB to 256 MiB.
    std::uint32_t frame_bytes_max = 1024 * 1024;
    /// Entries of a batch or of a transfer's frame; 1 to 16'777'216.
    std::uint32_t entries_max = 65'536;
    /// A key; 1 to 16 MiB.
    std::uint32_t key_bytes_max = 64 * 1024;
    /// An object that comes in parts; 1 KiB to 2^40.
    std::uint64_t object_bytes_max = std::uint64_t{1} << 30;
    /// Entries of all version vectors of a frame; 1 to 1'048'576.
    std::uint32_t vector_entries_max = 16'384;
    /// Peers that a report is about; 1 to 65'536.
    std::uint32_t peers_max = 4096;
    /// Neighbours of all peers of a report; 1 to 1'048'576.
    std::uint32_t neighbours_max = 65'536;
    /// Types that a welcome names; 1 to 65'536.
    std::uint32_t types_max = 4096;
    /// The name of a cluster or a type; 1 to 65'536.
    std::uint32_t name_bytes_max = 255;
    /// Text for people; 1 to 65'536.
    std::uint32_t text_bytes_max = 1024;

    /// Throws std::system_error(errc::invalid_options) that names the field, what it holds and what it may.
    void validate() const;
};

} // namespace phoenix::codec
