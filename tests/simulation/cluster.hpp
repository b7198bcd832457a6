// Nodes of replication in a simulated world, with writers, and a judge that knows what all of them hold.
//
// What must hold. When the faults end, the states of the nodes that are up are joined: nothing of that may be lost any more. All
// that anybody ever wrote is joined as well: nothing else may turn up. Within a bound of virtual time after the faults, every
// node must hold the same bytes for every object, between the two; then batches must cease. Where no node was ever down,
// counters must be exactly what was counted.
#pragma once

#include <phoenix/net/sim/world.hpp>
#include <phoenix/net/task.hpp>
#include <phoenix/replication/node.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace phoenix::simulation {

/// What differs from one run to another.
struct cluster_shape {
    std::size_t nodes = 3;
    /// Whom each node dials, by index; all are connected.
    std::vector<std::vector<std::size_t>> dials;
    /// From one write of a node to the next, on average.
    net::nanoseconds write_every = std::chrono::milliseconds(10);
    std::size_t keys = 20;
    std::size_t value_bytes = 20;
    replication::delta_options delta;
    replication::session_options session;
    bool shows_log = false;

    /// 3 to 7 nodes in a line, a ring, a star, a mesh or something irregular; small buffers at times, so that who was away
    /// needs a transfer.
    [[nodiscard]] static cluster_shape drawn_from(net::sim::random_source& random);

    [[nodiscard]] std::string describe() const;
};

class cluster {
public:
    cluster(std::uint64_t seed, const net::sim::plan& how, cluster_shape shape);

    cluster(const cluster&) = delete;
    cluster& operator=(const cluster&) = delete;
    ~cluster();

    [[nodiscard]] net::sim::world& world() noexcept { return world_; }

    /// Nobody writes any more.
    void stop_writing() noexcept { is_writing_ = false; }

    [[nodiscard]] std::uint64_t writes() const noexcept { return writes_; }

    /// Takes what nodes that are up hold now for what must not be lost any more.
    void expect_no_loss();

    /// Empty when all hold the same now, and it is right; otherwise what is not.
    [[nodiscard]] std::string judge();

    /// What each node says of itself and its links, for people.
    [[nodiscard]] std::string describe_nodes() const;

    /// Nodes that found themselves overtaken, and were started again.
    [[nodiscard]] std::uint64_t restarts() const noexcept { return restarts_; }

    /// Batches that nodes sent since they were started.
    [[nodiscard]] std::uint64_t batches_sent() const;

private:
    struct member;
    using contents = std::map<std::string, std::string, std::less<>>;

    [[nodiscard]] net::task<> serve(net::sim::node& self, member& own);
    [[nodiscard]] net::task<> write(net::sim::node& self, member& own);
    void write_once(net::loop& here, replication::node& peer);
    void remember(const replication::node& peer, std::string_view key);
    [[nodiscard]] replication::node_options options_of(std::size_t index) const;
    [[nodiscard]] static contents contents_of(const replication::node& peer);
    [[nodiscard]] std::string judge_counters(const replication::node& peer) const;

    cluster_shape shape_;
    replication::type_registry types_;
    // What was written by anybody, and what may not be lost.
    replication::object_store all_written_;
    replication::object_store must_stay_;
    std::map<std::string, std::int64_t, std::less<>> counted_;
    /// What a node held that nobody wrote.
    std::string unheard_of_;
    bool is_writing_ = true;
    std::uint64_t writes_ = 0;
    std::uint64_t restarts_ = 0;
    std::uint64_t restarts_expected_ = 0;
    std::vector<std::unique_ptr<member>> members_;
    // The last to be made and the first to go: what runs in it uses the rest.
    net::sim::world world_;
};

} // namespace phoenix::simulation
