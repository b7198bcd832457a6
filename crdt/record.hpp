// A struct of named lattices that is itself one: its fields are of any types, and its deltas carry the field that changed.
//
//   struct account {
//       pn_counter balance;
//       lww_map<std::string, std::string> settings;
//       sequence<char32_t> notes;
//       static constexpr auto fields() {
//           return std::tuple(field("balance", &account::balance), field("settings", &account::settings),
//                             field("notes", &account::notes));
//       }
//   };
//   record<account> mine;
//   auto delta = mine.update(&account::balance, [&](auto& balance) { return balance.increment(here, 3); });
//   theirs.join(delta);
//   theirs->balance.value();
//
// A composite's fields share one causal context, can be reset together and may stand below the key of an or_map, but must
// be causal types. A record's fields know nothing of one another: each has its own context, if it has one, and what it
// promises alone it promises here. The order of the fields is their order in the bytes. Any thread; a value, which belongs
// to one at a time.
#pragma once

#include <phoenix/crdt/bytes.hpp>
#include <phoenix/crdt/core/field.hpp>
#include <phoenix/crdt/explain.hpp>
#include <phoenix/crdt/lattice.hpp>

#include <concepts>
#include <cstddef>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace phoenix::crdt {

namespace detail {

template <class Fields>
struct record_types;

template <class... Field>
struct record_types<std::tuple<Field...>> {
    static_assert((decomposable<typename Field::member_type> && ...),
                  "the fields of a record are lattices with digests, bytes and deltas: see lattice.hpp");

    using digest = std::tuple<typename Field::member_type::digest_type...>;
    using operation = std::variant<typename Field::member_type::operation...>;
    static constexpr std::size_t size = sizeof...(Field);
};

} // namespace detail

template <std::semiregular Struct>
class record {
    using types = detail::record_types<decltype(Struct::fields())>;

public:
    using digest_type = typename types::digest;

    /// Which field, by its place in fields(), and what is done to it.
    using operation = typename types::operation;

    [[nodiscard]] const Struct& operator*() const noexcept { return fields_; }

    [[nodiscard]] const Struct* operator->() const noexcept { return &fields_; }

    /// Calls change(field) for one field, which changes it and returns its delta, and returns that as a record.
    template <class Member, class Change>
    record update(Member Struct::* member, Change&& change) {
        record delta;
        delta.fields_.*member = std::forward<Change>(change)(fields_.*member);
        return delta;
    }

    record apply(const replica_id& here, const operation& what) {
        record delta;
        over_each([&]<std::size_t Index>(auto field) {
            if (what.index() == Index) {
                delta.fields_.*field.member = (fields_.*field.member).apply(here, std::get<Index>(what));
            }
        });
        return delta;
    }

    void join(const record& theirs) {
        over([&](auto... field) { (..., (fields_.*field.member).join(theirs.fields_.*field.member)); });
    }

    [[nodiscard]] record delta_and_merge(const record& theirs) {
        record fresh;
        over([&](auto... field) {
            (..., (fresh.fields_.*field.member =
                       (fields_.*field.member).delta_and_merge(theirs.fields_.*field.member)));
        });
        return fresh;
    }

    [[nodiscard]] bool leq(const record& theirs) const {
        return over([&](auto... field) {
            return (... && (fields_.*field.member).leq(theirs.fields_.*field.member));
        });
    }

    [[nodiscard]] bool is_bottom() const noexcept {
        return over([&](auto... field) { return (... && (fields_.*field.member).is_bottom()); });
    }

    [[nodiscard]] digest_type digest() const {
        return over([&](auto... field) { return digest_type((fields_.*field.member).digest()...); });
    }

    [[nodiscard]] record delta_since(const digest_type& theirs) const {
        record missing;
        over_each([&]<std::size_t Index>(auto field) {
            missing.fields_.*field.member = (fields_.*field.member).delta_since(std::get<Index>(theirs));
        });
        return missing;
    }

    /// The parts of each field, in the order of the fields.
    [[nodiscard]] std::vector<record> decompose() const {
        std::vector<record> parts;
        over_each([&]<std::size_t Index>(auto field) {
            for (auto& each : (fields_.*field.member).decompose()) {
                parts.emplace_back().fields_.*field.member = std::move(each);
            }
        });
        return parts;
    }

    void explain(explanation& facts) const {
        over_each([&]<std::size_t Index>(auto field) {
            if constexpr (explainable<typename decltype(field)::member_type>) {
                facts.path.emplace_back(field.name);
                (fields_.*field.member).explain(facts);
                facts.path.pop_back();
            }
        });
    }

    friend bool operator==(const record& a, const record& b) {
        return over(
            [&](auto... field) { return (... && (a.fields_.*field.member == b.fields_.*field.member)); });
    }

    void write(byte_writer& out) const {
        over([&](auto... field) { (..., write_value(out, fields_.*field.member)); });
    }

    [[nodiscard]] static record read(byte_reader& in) {
        record made;
        over_each([&]<std::size_t Index>(auto field) {
            made.fields_.*field.member = read_value<typename decltype(field)::member_type>(in);
        });
        return made;
    }

private:
    template <class Visitor>
    static decltype(auto) over(Visitor&& visit) {
        return std::apply(std::forward<Visitor>(visit), Struct::fields());
    }

    /// Calls visit.template operator()<Index>(field) for each field.
    template <class Visitor>
    static void over_each(Visitor&& visit) {
        [&]<std::size_t... Index>(std::index_sequence<Index...>) {
            const auto all = Struct::fields();
            (..., visit.template operator()<Index>(std::get<Index>(all)));
        }(std::make_index_sequence<types::size>());
    }

    Struct fields_;
};

} // namespace phoenix::crdt
