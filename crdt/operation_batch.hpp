// Operations collected until there are enough, then applied in groups: one delta for each object instead of one for each
// operation.
//
//   operation_batch<std::string, or_set<std::string>, pn_counter> batch;      // 100 operations at most
//   batch.add<or_set<std::string>>("basket", or_set<std::string>::operations::add{"tea"});
//   if (batch.is_full()) {
//       batch.apply(here,
//           [&]<class T>(const std::string& name) -> T& { return objects.of<T>(name); },
//           [&](const std::string& name, const auto& delta) { send(name, delta); },
//           refused);                            // appended: what its type refused
//   }
//
// Operations are grouped by type and target: groups come in the order of the types, and in each type in the order of the
// targets; within a group operations keep their order. Since deltas join, the result is that of applying them one by one.
// A batch has canonical bytes, so that it can be written down and replayed: replaying applies the operations again, which
// is right for a batch that was never applied and wrong for one that was. Any thread; a value.
#pragma once

#include <phoenix/crdt/lattice.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace phoenix::crdt {

struct operation_batch_options {
    /// How many operations make a batch full.
    std::size_t operations_max = 100;

    /// Throws errc::invalid_operation that names the field.
    void validate() const {
        if (operations_max == 0) {
            throw_error(errc::invalid_operation,
                        "operation_batch_options: expected operations_max of at least 1, found 0");
        }
    }
};

template <class Target, operable... Types>
    requires std::totally_ordered<Target> && byte_value<Target>
class operation_batch {
public:
    using options = operation_batch_options;

    /// An operation that its type refused; the others of its group were applied.
    struct refusal {
        Target target;
        /// The place of its type among Types.
        std::size_t type = 0;
        /// Its place in the group.
        std::size_t index = 0;
        std::error_code code;
        std::string what;
    };

    operation_batch() = default;

    explicit operation_batch(const options& how) : options_(how) { options_.validate(); }

    /// Refused with errc::limit_exceeded when the batch is full: apply it first.
    template <class Type>
    void add(const Target& target, typename Type::operation what) {
        static_assert((std::is_same_v<Type, Types> || ...), "expected one of the batch's types");
        if (is_full()) {
            throw_error(errc::limit_exceeded, "operation batch: expected at most " +
                                                  std::to_string(options_.operations_max) +
                                                  " operations: apply the batch before adding another");
        }
        std::get<groups<Type>>(all_).by_target[target].push_back(std::move(what));
        ++size_;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    [[nodiscard]] bool is_full() const noexcept { return size_ >= options_.operations_max; }

    /// How many deltas it will make.
    [[nodiscard]] std::size_t group_count() const noexcept {
        return std::apply([](const auto&... each) { return (std::size_t(0) + ... + each.by_target.size()); },
                          all_);
    }

    /// Applies everything for writer `here` and leaves the batch empty. `find` is called as find.template
    /// operator()<Type>(target) and gives the object; `made` gets the target and the group's delta, unless that is
    /// bottom. What a type refuses is appended to `refused`. When `find` or `made` throws, `refused` holds what was refused
    /// until then, and the groups that are left stay in the batch; a group whose delta `made` did not take stands in its
    /// object, from where a digest brings it to others.
    template <class Find, class Made>
    void apply(const replica_id& here, Find&& find, Made&& made, std::vector<refusal>& refused) {
        std::size_t type = 0;
        const auto apply_all = [&]<class Type>(groups<Type>& of) {
            while (!of.by_target.empty()) {
                const auto group = of.by_target.begin();
                Type& object = find.template operator()<Type>(group->first);
                // From here on the group is taken: a second attempt must not apply it again.
                const auto taken = of.by_target.extract(group);
                size_ -= taken.mapped().size();
                const Type delta =
                    apply_group<Type>(here, object, type, taken.key(), taken.mapped(), refused);
                if (!delta.is_bottom()) {
                    made(taken.key(), delta);
                }
            }
            ++type;
        };
        std::apply([&](auto&... each) { (apply_all(each), ...); }, all_);
    }

    /// The same operations on the same targets, in the same order.
    friend bool operator==(const operation_batch& a, const operation_batch& b) {
        return a.size_ == b.size_ && encode(a) == encode(b);
    }

    void write(byte_writer& out) const {
        const auto write_one = [&]<class Type>(const groups<Type>& of) {
            out.write_varint(of.by_target.size());
            for (const auto& [target, operations] : of.by_target) {
                write_value(out, target);
                write_value(out, operations);
            }
        };
        std::apply([&](const auto&... each) { (write_one(each), ...); }, all_);
    }

    /// With the options of a default batch, whatever its size.
    [[nodiscard]] static operation_batch read(byte_reader& in) {
        operation_batch made;
        const auto read_one = [&]<class Type>(groups<Type>& of) {
            const Target* before = nullptr;
            for (std::size_t left = in.read_count(2, "groups of operations"); left > 0; --left) {
                const std::size_t at = in.position();
                Target target = read_value<Target>(in);
                if (before != nullptr && !(*before < target)) {
                    byte_reader::fail_at(at, "targets in ascending order, each once");
                }
                auto operations = read_value<std::vector<typename Type::operation>>(in);
                if (operations.empty()) {
                    byte_reader::fail_at(at, "a target with at least one operation");
                }
                made.size_ += operations.size();
                before = &of.by_target.emplace(std::move(target), std::move(operations)).first->first;
            }
        };
        std::apply([&](auto&... each) { (read_one(each), ...); }, made.all_);
        return made;
    }

private:
    template <class Type>
    struct groups {
        std::map<Target, std::vector<typename Type::operation>> by_target;
    };

    template <class Type>
    [[nodiscard]] static Type
    apply_group(const replica_id& here, Type& object, std::size_t type, const Target& target,
                const std::vector<typename Type::operation>& operations, std::vector<refusal>& refused) {
        Type delta;
        for (std::size_t index = 0; index < operations.size(); ++index) {
            try {
                delta.join(object.apply(here, operations[index]));
            } catch (const std::system_error& e) {
                refused.push_back({target, type, index, e.code(), e.what()});
            }
        }
        return delta;
    }

    options options_;
    std::size_t size_ = 0;
    std::tuple<groups<Types>...> all_;
};

} // namespace phoenix::crdt
