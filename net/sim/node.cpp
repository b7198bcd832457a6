#include <phoenix/net/error.hpp>
#include <phoenix/net/sim/node.hpp>
#include <phoenix/net/sim/sim_driver.hpp>
#include <phoenix/net/sim/world_core.hpp>

#include <exception>
#include <system_error>
#include <utility>

namespace phoenix::net::sim {

node::node(world_core& around, node_number number, program runs, loop_options options)
    : around_(around), number_(number), program_(std::move(runs)), options_(std::move(options)) {
    start();
}

node::~node() {
    if (is_up()) {
        end(ending::killed);
    }
}

void node::start() {
    machine& own = around_.at_machine(number_);
    own.has_power = true;
    ++own.starts;
    auto backend = std::make_unique<sim_driver>(around_, number_);
    driver_ = backend.get();
    loop_ = std::make_unique<loop>(std::move(backend), options_);
    around_.open_links_to(number_);
    if (program_) {
        loop_->spawn(run_program());
    }
}

void node::end(ending how) {
    if (how == ending::lost_power) {
        machine& own = around_.at_machine(number_);
        own.has_power = false;
        ++own.power_losses;
    }
    if (how != ending::stopped) {
        driver_->end_process();
    }
    // Not reset(): what unwinds may ask for its loop until the end.
    delete loop_.get();
    static_cast<void>(loop_.release());
    driver_ = nullptr;
}

loop_options node::silent() {
    loop_options options;
    options.log.sink = nullptr;
    return options;
}

task<> node::run_program() {
    try {
        co_await program_(*this);
    } catch (const std::system_error& e) {
        if (!is_canceled(e.code())) {
            failure_ = e.what();
        }
    } catch (const std::exception& e) {
        failure_ = e.what();
    }
}

loop& node::here() noexcept {
    PHOENIX_ASSERT(is_up(), "a simulated node that is down has no loop: ask is_up() first");
    return *loop_;
}

endpoint node::address() const noexcept {
    return sim_driver::address_of(number_, 0);
}

bool node::is_busy() const noexcept {
    return is_up() && driver_->is_busy();
}

std::uint32_t node::starts() const noexcept {
    return around_.at_machine(number_).starts;
}

} // namespace phoenix::net::sim
