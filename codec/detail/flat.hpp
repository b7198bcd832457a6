// What the messages do with FlatBuffers: payloads built in the memory of their frame, and verified before they are read.
#pragma once

#include <phoenix/codec/detail/checks.hpp>
#include <phoenix/codec/frame.hpp>
#include <phoenix/codec/limits.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <flatbuffers/flatbuffers.h>

namespace phoenix::codec::detail {

/// Memory of a FlatBufferBuilder, with room for the frame's header in front of what it builds.
class frame_memory final : public flatbuffers::Allocator {
public:
    std::uint8_t* allocate(std::size_t size) override;
    void deallocate(std::uint8_t* at, std::size_t size) override;
    std::uint8_t* reallocate_downward(std::uint8_t* old_at, std::size_t old_size, std::size_t new_size,
                                      std::size_t in_use_back, std::size_t in_use_front) override;

    /// The words from the header of `payload` on, which share the ownership of all.
    [[nodiscard]] std::shared_ptr<std::uint64_t[]> words_before(const std::uint8_t* payload) const;

private:
    [[nodiscard]] std::uint8_t* front() const noexcept;

    std::shared_ptr<std::uint64_t[]> words_;
};

/// Builds one message, of at most some `bytes` beside its table, in one allocation.
class message_builder {
public:
    message_builder(frame_kind kind, const limits& bounds, std::size_t bytes);

    [[nodiscard]] flatbuffers::FlatBufferBuilder& flat() noexcept { return builder_; }

    /// An empty column is left out.
    template <class Number>
    [[nodiscard]] flatbuffers::Offset<flatbuffers::Vector<Number>> column(std::span<const Number> values) {
        return values.empty() ? 0 : builder_.CreateVector(values.data(), values.size());
    }

    [[nodiscard]] flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>>
    column(std::span<const std::byte> values) {
        return column(std::span(reinterpret_cast<const std::uint8_t*>(values.data()), values.size()));
    }

    /// A column of structs of the schema, which lie as ours do.
    template <class Struct, class Row>
    [[nodiscard]] flatbuffers::Offset<flatbuffers::Vector<const Struct*>> rows(std::span<const Row> values) {
        static_assert(sizeof(Struct) == sizeof(Row) && alignof(Struct) == alignof(Row));
        return values.empty() ? 0
                              : builder_.CreateVectorOfStructs(reinterpret_cast<const Struct*>(values.data()),
                                                               values.size());
    }

    [[nodiscard]] flatbuffers::Offset<flatbuffers::String> text(std::string_view value) {
        return value.empty() ? 0 : builder_.CreateString(value.data(), value.size());
    }

    template <class Table>
    [[nodiscard]] frame finish(flatbuffers::Offset<Table> root, const char* identifier = nullptr) {
        builder_.Finish(root, identifier);
        return seal();
    }

private:
    [[nodiscard]] frame seal();

    frame_kind kind_;
    std::uint32_t bytes_max_;
    frame_memory memory_;
    flatbuffers::FlatBufferBuilder builder_;
};

/// Every message is one table, without tables inside it.
[[nodiscard]] flatbuffers::Verifier make_verifier(frame_kind kind, std::span<const std::byte> payload,
                                                  const limits& bounds);

[[noreturn, gnu::cold]] void refuse_buffer(frame_kind kind, std::size_t size);

/// The table in the payload, once FlatBuffers has verified it.
template <class Table>
[[nodiscard]] const Table& verified(frame_kind kind, std::span<const std::byte> payload, const limits& bounds,
                                    const char* identifier = nullptr) {
    flatbuffers::Verifier verifier = make_verifier(kind, payload, bounds);
    if (!verifier.VerifyBuffer<Table>(identifier)) [[unlikely]] {
        refuse_buffer(kind, payload.size());
    }
    return *flatbuffers::GetRoot<Table>(payload.data());
}

/// The verifier holds the length of a vector to its alignment, not its elements, which may be wider.
void require_aligned(std::string_view place, const void* at, std::size_t alignment);

template <class Number>
[[nodiscard]] std::span<const Number> column(std::string_view place,
                                             const flatbuffers::Vector<Number>* values) {
    if (values == nullptr) {
        return {};
    }
    require_aligned(place, values->Data(), alignof(Number));
    return {reinterpret_cast<const Number*>(values->Data()), values->size()};
}

template <class Row, class Struct>
[[nodiscard]] std::span<const Row> rows(std::string_view place,
                                        const flatbuffers::Vector<const Struct*>* values) {
    static_assert(sizeof(Struct) == sizeof(Row) && alignof(Struct) == alignof(Row));
    if (values == nullptr) {
        return {};
    }
    require_aligned(place, values->Data(), alignof(Row));
    return {reinterpret_cast<const Row*>(values->Data()), values->size()};
}

[[nodiscard]] std::span<const std::byte> bytes(const flatbuffers::Vector<std::uint8_t>* values) noexcept;

[[nodiscard]] std::string_view text(const flatbuffers::String* value) noexcept;

} // namespace phoenix::codec::detail
