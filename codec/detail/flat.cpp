#include <phoenix/codec/detail/flat.hpp>
#include <phoenix/codec/error.hpp>

#include <utility>

namespace phoenix::codec::detail {

namespace {

constexpr std::size_t header_words = frame_header::size / sizeof(std::uint64_t);

/// Table, offsets and padding of the largest message, and what the builder needs aside.
constexpr std::size_t table_bytes = 448;

} // namespace

std::uint8_t* frame_memory::front() const noexcept {
    return reinterpret_cast<std::uint8_t*>(words_.get() + header_words);
}

std::uint8_t* frame_memory::allocate(std::size_t size) {
    // The builder rounds up to its buffer's alignment; it fills the memory from the end, which is then aligned too.
    PHOENIX_ASSERT(size % sizeof(std::uint64_t) == 0, "expected the builder to take whole words");
    words_ = std::make_shared_for_overwrite<std::uint64_t[]>(header_words + size / sizeof(std::uint64_t));
    return front();
}

void frame_memory::deallocate(std::uint8_t* /*at*/, std::size_t /*size*/) {
    words_.reset();
}

std::uint8_t* frame_memory::reallocate_downward(std::uint8_t* old_at, std::size_t old_size,
                                                std::size_t new_size, std::size_t in_use_back,
                                                std::size_t in_use_front) {
    const auto old_words = std::move(words_);
    std::uint8_t* const new_at = allocate(new_size);
    memcpy_downward(old_at, old_size, new_at, new_size, in_use_back, in_use_front);
    return new_at;
}

std::shared_ptr<std::uint64_t[]> frame_memory::words_before(const std::uint8_t* payload) const {
    const auto distance = static_cast<std::size_t>(payload - front());
    PHOENIX_ASSERT(distance % sizeof(std::uint64_t) == 0, "expected the builder to align what it built");
    return {words_, words_.get() + distance / sizeof(std::uint64_t)};
}

message_builder::message_builder(frame_kind kind, const limits& bounds, std::size_t bytes)
    : kind_(kind), bytes_max_(bounds.frame_bytes_max), builder_(table_bytes + bytes, &memory_) {
    // Whatever the message holds, its size is a multiple of 8: then its front is aligned as its end is.
    builder_.Align(sizeof(std::uint64_t));
}

frame message_builder::seal() {
    const auto length = static_cast<std::uint32_t>(builder_.GetSize());
    if (length > bytes_max_) {
        refuse_limit(std::string(to_text(kind_)) + " in bytes", bytes_max_, length);
    }
    return frame::seal(memory_.words_before(builder_.GetBufferPointer()), kind_, length);
}

flatbuffers::Verifier make_verifier(frame_kind kind, std::span<const std::byte> payload,
                                    const limits& bounds) {
    // The verifier sees offsets only: it passes a buffer at an odd address, which is undefined behaviour to read.
    PHOENIX_ASSERT(reinterpret_cast<std::uintptr_t>(payload.data()) % 8 == 0,
                   "a payload must begin at a multiple of 8, as a frame's does: copy it there");
    require_at_most(to_text(kind), bounds.frame_bytes_max, payload.size());
    flatbuffers::Verifier::Options options;
    options.max_depth = 1;
    options.max_tables = 1;
    return flatbuffers::Verifier(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size(),
                                 options);
}

void refuse_buffer(frame_kind kind, std::size_t size) {
    refuse(to_text(kind), "a FlatBuffer of its schema, with the right identifier",
           std::to_string(size) + " bytes that are none");
}

void require_aligned(std::string_view place, const void* at, std::size_t alignment) {
    if (reinterpret_cast<std::uintptr_t>(at) % alignment != 0) [[unlikely]] {
        refuse(place, "elements at a multiple of " + std::to_string(alignment), "them between");
    }
}

std::span<const std::byte> bytes(const flatbuffers::Vector<std::uint8_t>* values) noexcept {
    return values == nullptr ? std::span<const std::byte>()
                             : std::as_bytes(std::span(values->Data(), values->size()));
}

std::string_view text(const flatbuffers::String* value) noexcept {
    return value == nullptr ? std::string_view() : std::string_view(value->c_str(), value->size());
}

} // namespace phoenix::codec::detail
