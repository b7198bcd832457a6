#include <phoenix/crdt/conflict/apportion.hpp>
#include <phoenix/crdt/conflict/resource_allocation.hpp>
#include <phoenix/crdt/error.hpp>
#include <phoenix/crdt/explain.hpp>

#include <charconv>
#include <limits>
#include <utility>
#include <vector>

namespace phoenix::crdt::conflict {

namespace {

void add(std::int64_t& total, std::int64_t amount) {
    if (amount > std::numeric_limits<std::int64_t>::max() - total) {
        throw_error(errc::counter_overflow, "expected claims whose sum has 64 bits, found a larger one");
    }
    total += amount;
}

void expect_positive(const std::string& name, std::int64_t amount) {
    if (amount < 1) {
        throw_error(errc::invalid_operation, "expected claims of 1 or more, found " + std::to_string(amount) +
                                                 " for " + quoted_text(name) +
                                                 ": leave out who needs nothing");
    }
}

void expect_available(std::int64_t available) {
    if (available < 0) {
        throw_error(errc::negative_amount,
                    "expected 0 or more units to be available, found " + std::to_string(available));
    }
}

claims total_of(const sibling_set<claims>& siblings) {
    claims all;
    for (const sibling<claims>& each : siblings) {
        for (const auto& [name, amount] : each.value.amounts) {
            expect_positive(name, amount);
            add(all.amounts[name], amount);
        }
    }
    return all;
}

std::int64_t sum_of(const claims& all) {
    std::int64_t sum = 0;
    for (const auto& [name, amount] : all.amounts) {
        expect_positive(name, amount);
        add(sum, amount);
    }
    return sum;
}

std::int64_t number_from(const std::string& text) {
    std::int64_t number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || end.ec != std::errc() || end.ptr != text.data() + text.size()) {
        throw_error(errc::invalid_operation,
                    "expected a whole number in the metadata \"available\", found " + quoted_text(text));
    }
    return number;
}

} // namespace

void claims::write(byte_writer& out) const {
    out.write_varint(amounts.size());
    for (const auto& [name, amount] : amounts) {
        out.write_string(name);
        write_value(out, amount);
    }
}

claims claims::read(byte_reader& in) {
    claims made;
    for (std::size_t left = in.read_count(2, "claims"); left > 0; --left) {
        const std::size_t at = in.position();
        std::string name(in.read_string());
        if (!made.amounts.empty() && name <= made.amounts.rbegin()->first) {
            byte_reader::fail_at(at, "names in ascending order, each once");
        }
        const auto amount = read_value<std::int64_t>(in);
        made.amounts.emplace_hint(made.amounts.end(), std::move(name), amount);
    }
    return made;
}

std::string to_text(const claims& shown) {
    std::string text;
    for (const auto& [name, amount] : shown.amounts) {
        text += (text.empty() ? "" : ", ") + name + " " + std::to_string(amount);
    }
    return text;
}

void resource_options::validate() const {
    if (available && *available < 0) {
        throw_error(errc::negative_amount,
                    "resource_options: expected available of 0 or more, found " + std::to_string(*available));
    }
}

claims share(const claims& asked, std::int64_t available) {
    expect_available(available);
    if (sum_of(asked) <= available) {
        return asked;
    }
    std::vector<std::uint64_t> weights;
    for (const auto& [name, amount] : asked.amounts) {
        weights.push_back(static_cast<std::uint64_t>(amount));
    }
    const auto parts = apportion(static_cast<std::uint64_t>(available), weights);
    claims granted = asked;
    auto part = parts.begin();
    for (auto& [name, amount] : granted.amounts) {
        amount = static_cast<std::int64_t>(*part++);
    }
    return granted;
}

strategy<claims> resource_allocation(const resource_options& options) {
    options.validate();
    return {"resource_allocation", [options](const context<claims>& about) {
                const claims asked = total_of(latest(about.siblings));
                const std::int64_t sum = sum_of(asked);
                const auto given = about.metadata.find("available");
                const std::int64_t available = given != about.metadata.end()
                                                   ? number_from(given->second)
                                                   : options.available.value_or(sum);
                claims granted = share(asked, available);
                return outcome<claims>::resolved(
                    std::move(granted),
                    std::to_string(sum) + " asked for, " + std::to_string(available) +
                        " available: " + (sum <= available ? "all granted" : "scaled in proportion"));
            }};
}

} // namespace phoenix::crdt::conflict
