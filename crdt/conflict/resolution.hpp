// The end of a conflict, as a value that can be written back, sent and explained.
//
//   const auto found = resolve(about, last_writer<std::string>());
//   if (found) {
//       to_text(explain(found.result()));            // who won, by which rule, over whom
//   }
//
// versioned.hpp writes it into a register, where it supersedes what it resolved. Any thread; a value.
#pragma once

#include <phoenix/crdt/conflict/sibling.hpp>
#include <phoenix/crdt/explain.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace phoenix::crdt::conflict {

template <byte_value Value>
struct resolution {
    Value value;
    /// The dots that it supersedes, ascending.
    std::vector<dot> supersedes;
    /// The name of the strategy, or of the person.
    std::string decided_by;
    std::string why;
    /// The siblings that it follows from by rule, and their common ancestor: whoever has them comes to the
    /// same value. Empty when somebody decided; that is a write like any other.
    sibling_set<Value> stands_for;
    std::optional<Value> ancestor;

    friend bool operator==(const resolution& a, const resolution& b) { return encode(a) == encode(b); }

    void explain(explanation& facts) const {
        using verdict = explanation::verdict;
        facts.add(verdict::stands, shown(value), decided_by + ": " + why);
        for (const sibling<Value>& each : stands_for) {
            const bool won = encode(each.value) == encode(value);
            facts.add(won ? verdict::stands : verdict::loses, shown(each.value), "at " + to_text(each.time),
                      {each.by});
        }
        for (const dot& each : supersedes) {
            facts.add(verdict::gone, {}, "superseded", {each});
        }
    }

    void write(byte_writer& out) const {
        write_value(out, value);
        out.write_varint(supersedes.size());
        for (const dot& each : supersedes) {
            write_value(out, each);
        }
        write_value(out, decided_by);
        write_value(out, why);
        write_value(out, stands_for);
        write_value(out, ancestor);
    }

    [[nodiscard]] static resolution read(byte_reader& in) {
        Value value = read_value<Value>(in);
        std::vector<dot> supersedes;
        for (std::size_t left = in.read_count(3, "dots"); left > 0; --left) {
            const std::size_t at = in.position();
            const dot each = read_value<dot>(in);
            if (!supersedes.empty() && each <= supersedes.back()) {
                byte_reader::fail_at(at, "dots in ascending order, each once");
            }
            supersedes.push_back(each);
        }
        std::string decided_by = read_value<std::string>(in);
        std::string why = read_value<std::string>(in);
        auto stands_for = sibling_set<Value>::read(in);
        return {std::move(value), std::move(supersedes), std::move(decided_by),
                std::move(why),   std::move(stands_for), read_value<std::optional<Value>>(in)};
    }
};

} // namespace phoenix::crdt::conflict
