#include "redis_value.hpp"

#include "protocol.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace resp {

namespace {

std::int64_t clamped_sum(std::int64_t a, std::int64_t b) noexcept {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) {
        return sum;
    }
    return a > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

} // namespace

std::optional<std::int64_t> scalar::number() const noexcept {
    std::int64_t base = 0;
    if (written_ != nullptr) {
        const auto parsed = parse_integer(*written_);
        if (!parsed) {
            return std::nullopt;
        }
        base = *parsed;
    }
    return counted_ != nullptr ? clamped_sum(base, counted_->value()) : base;
}

std::string_view scalar::text(digits& room) const noexcept {
    if (counted_ != nullptr) {
        if (const auto sum = number()) {
            const char* const end = std::to_chars(room.data(), room.data() + room.size(), *sum).ptr;
            return {room.data(), static_cast<std::size_t>(end - room.data())};
        }
    }
    return written_ != nullptr ? std::string_view(*written_) : std::string_view();
}

bool redis_value::has_hash() const noexcept {
    return !content_.at(&slots::hash).empty() || fields_counted_.present() > 0;
}

redis_value::type redis_value::visible() const noexcept {
    if (has_hash()) {
        return type::hash;
    }
    if (set().size() > 0) {
        return type::set;
    }
    return string().exists() ? type::string : type::none;
}

std::size_t redis_value::types() const noexcept {
    return (has_hash() ? 1U : 0U) + (set().size() > 0 ? 1U : 0U) + (string().exists() ? 1U : 0U);
}

scalar redis_value::string() const noexcept {
    return {content_.at(&slots::string).value(), &counted_};
}

scalar redis_value::field(std::string_view name) const {
    const auto hash = content_.at(&slots::hash);
    const auto found = hash.find(name);
    return {found ? found->value() : nullptr, fields_counted_.find(name)};
}

std::size_t redis_value::field_count() const {
    const auto hash = content_.at(&slots::hash);
    std::size_t count = hash.size();
    if (fields_counted_.present() > 0) {
        for (const auto& [name, counter] : fields_counted_.all()) {
            count += counter.is_present() && !hash.contains(name) ? 1U : 0U;
        }
    }
    return count;
}

std::vector<std::pair<std::string_view, scalar>> redis_value::fields() const {
    std::vector<std::pair<std::string_view, scalar>> found;
    const auto hash = content_.at(&slots::hash);
    found.reserve(hash.size());
    for (const auto& [name, text] : hash) {
        found.emplace_back(name, scalar(text.value(), fields_counted_.find(name)));
    }
    if (fields_counted_.present() > 0) {
        for (const auto& [name, counter] : fields_counted_.all()) {
            if (counter.is_present() && !hash.contains(name)) {
                found.emplace_back(name, scalar(nullptr, &counter));
            }
        }
    }
    std::ranges::sort(found, {}, [](const auto& each) { return each.first; });
    return found;
}

std::vector<std::string_view> redis_value::members() const {
    std::vector<std::string_view> found(set().begin(), set().end());
    std::ranges::sort(found);
    return found;
}

void redis_value::join(const redis_value& theirs) {
    content_.join(theirs.content_);
    counted_.join(theirs.counted_);
    fields_counted_.join(theirs.fields_counted_);
}

redis_value redis_value::delta_and_merge(const redis_value& theirs) {
    redis_value fresh;
    fresh.content_ = content_.delta_and_merge(theirs.content_);
    fresh.counted_ = counted_.delta_and_merge(theirs.counted_);
    fresh.fields_counted_ = fields_counted_.delta_and_merge(theirs.fields_counted_);
    return fresh;
}

bool redis_value::leq(const redis_value& theirs) const {
    return content_.leq(theirs.content_) && counted_.leq(theirs.counted_) &&
           fields_counted_.leq(theirs.fields_counted_);
}

bool redis_value::is_bottom() const noexcept {
    return content_.is_bottom() && counted_.is_bottom() && fields_counted_.is_bottom();
}

void redis_value::write(crdt::byte_writer& out) const {
    content_.write(out);
    counted_.write(out);
    fields_counted_.write(out);
}

redis_value redis_value::read(crdt::byte_reader& in) {
    redis_value made;
    made.content_ = content::read(in);
    made.counted_ = counter_totals::read(in);
    made.fields_counted_ = field_counters::read(in);
    return made;
}

void redis_value::editor::set_string(std::string_view text, const crdt::timestamp& time) {
    change([&](auto&& open) {
        if (mine_.set().size() > 0) {
            open.at(&slots::set).clear();
        }
        if (!mine_.content_.at(&slots::hash).empty()) {
            open.at(&slots::hash).clear();
        }
        open.at(&slots::string).set(std::string(text), time);
    });
    mine_.counted_.reset(delta_.counted_);
    mine_.fields_counted_.reset(delta_.fields_counted_);
}

bool redis_value::editor::count(std::int64_t amount) {
    return mine_.counted_.count(here_, amount, delta_.counted_);
}

void redis_value::editor::remove() {
    change([](auto&& open) { open.reset(); });
    mine_.counted_.reset(delta_.counted_);
    mine_.fields_counted_.reset(delta_.fields_counted_);
}

void redis_value::editor::set_field(std::string_view name, std::string_view text,
                                    const crdt::timestamp& time) {
    change([&](auto&& open) {
        open.at(&slots::hash).update(name, [&](auto&& field) { field.set(std::string(text), time); });
    });
    mine_.fields_counted_.reset(name, delta_.fields_counted_);
}

bool redis_value::editor::count_field(std::string_view name, std::int64_t amount) {
    return mine_.fields_counted_.count(name, here_, amount, delta_.fields_counted_);
}

void redis_value::editor::remove_field(std::string_view name) {
    change([&](auto&& open) { open.at(&slots::hash).remove(name); });
    mine_.fields_counted_.reset(name, delta_.fields_counted_);
}

} // namespace resp
