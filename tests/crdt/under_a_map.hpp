// The laws of a causal type as it stands under the keys of a map: there the map's indexes depend on what the
// store tells of dots that came and went.
#pragma once

#include <phoenix/crdt/or_map.hpp>

#include "laws_hold.hpp"

#include <cstdint>
#include <utility>

namespace phoenix::crdt::testing {

/// `draw(random)` gives an operation of the store. Few keys and many, so that the map is scanned and indexed.
template <class Store, class Draw>
void laws_hold_under_a_map(Draw draw) {
    using map = or_map<std::uint64_t, Store>;
    for (const std::uint64_t range : {3, 40}) {
        laws_hold(laws::subject<map>{
            .mutate = [range, draw](map& state, const replica_id& here, laws::random_source& random) {
                const auto some = [&](auto&& editor) {
                    for (std::uint64_t left = 1 + random.below(3); left > 0; --left) {
                        editor.apply(draw(random));
                    }
                };
                switch (random.below(10)) {
                case 0:
                    return state.clear(here);
                case 1:
                case 2:
                    return state.remove(here, random.below(range));
                case 3:
                case 4: {
                    map batch;
                    state.edit(here, batch, [&](auto&& editor) {
                        for (int i = 0; i < 12; ++i) {
                            editor.update(random.below(range), some);
                        }
                        editor.remove(random.below(range));
                    });
                    return batch;
                }
                default:
                    return state.update(here, random.below(range), some);
                }
            }});
    }
}

} // namespace phoenix::crdt::testing
