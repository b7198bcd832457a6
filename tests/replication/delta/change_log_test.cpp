// Who was told of a vector learns what changed since, or that it must be told all of it again.
#include <phoenix/replication/delta/change_log.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace phoenix::replication {

namespace {

using origins = std::vector<crdt::replica_id>;

const crdt::replica_id a{1, 1};
const crdt::replica_id b{2, 1};

} // namespace

BOOST_AUTO_TEST_SUITE(change_log_test)

BOOST_AUTO_TEST_CASE(what_changed_is_named_once_and_in_order) {
    change_log changes;
    const std::uint64_t seen = changes.count();
    BOOST_TEST((changes.since(seen) == origins{}));
    changes.note(b);
    changes.note(a);
    changes.note(b);
    BOOST_TEST((changes.since(seen) == origins{a, b}));
    BOOST_TEST((changes.since(seen + 2) == origins{b}));
    BOOST_TEST((changes.since(changes.count()) == origins{}));
}

BOOST_AUTO_TEST_CASE(who_was_never_told_is_told_all) {
    change_log changes;
    BOOST_TEST((changes.since(0) == std::nullopt));
    changes.note(a);
    BOOST_TEST((changes.since(0) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(who_was_told_too_long_ago_or_of_what_is_void_is_told_all) {
    change_log changes;
    const std::uint64_t seen = changes.count();
    for (int i = 0; i < 128; ++i) {
        changes.note(a);
    }
    BOOST_TEST((changes.since(seen) == origins{a}));
    changes.note(b);
    BOOST_TEST((changes.since(seen) == std::nullopt));
    BOOST_TEST((changes.since(seen + 1) == origins{a, b}));
    changes.forget();
    BOOST_TEST((changes.since(seen + 1) == std::nullopt));
    BOOST_TEST((changes.since(changes.count()) == origins{}));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace phoenix::replication
