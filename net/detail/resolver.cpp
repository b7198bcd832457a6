#include <phoenix/net/detail/resolver.hpp>
#include <phoenix/net/loop.hpp>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <unistd.h>

namespace phoenix::net::detail {

namespace {

/// getaddrinfo says that a host is unknown when it only could not open what it would have asked: -EMFILE or
/// -ENFILE when no descriptor is to be had, otherwise `code`.
int unless_out_of_descriptors(int code) noexcept {
    const int probe = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (probe >= 0) {
        ::close(probe);
        return code;
    }
    return errno == EMFILE || errno == ENFILE ? -errno : code;
}

/// A getaddrinfo code; fills `found` on success.
int look_up(const char* host, std::uint16_t port, int flags, std::vector<endpoint>& found) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* list = nullptr;
    const int code = ::getaddrinfo(host, std::to_string(port).c_str(), &hints, &list);
    if (code != 0) {
        return code;
    }
    for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
        if (each->ai_family == AF_INET || each->ai_family == AF_INET6) {
            found.push_back(endpoint::from_native(each->ai_addr, each->ai_addrlen));
        }
    }
    ::freeaddrinfo(list);
    return found.empty() ? EAI_NONAME : 0;
}

// Shared by the loop's thread, which forgets it on cancel, and the worker.
struct request {
    std::string host;
    std::uint16_t port = 0;
    int result = 0;
    std::vector<endpoint> found;
    // Nobody waits for it any more.
    std::atomic<bool> abandoned{false};
    // The loop's thread alone.
    resolve_op* operation = nullptr;
    loop* owner = nullptr;
};

} // namespace

class resolver::worker {
public:
    explicit worker(loop& owner) : loop_(owner), process_(::getpid()), thread_([this] { work(); }) {}

    ~worker() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    /// False in a forked child, which has no such thread.
    [[nodiscard]] bool exists() const noexcept { return process_ == ::getpid(); }

    void push(std::shared_ptr<request> added) {
        {
            const std::lock_guard lock(mutex_);
            requests_.push_back(std::move(added));
        }
        changed_.notify_one();
    }

private:
    void work() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
            if (stopping_) {
                return;
            }
            std::shared_ptr<request> next = std::move(requests_.front());
            requests_.pop_front();
            lock.unlock();
            if (!next->abandoned.load(std::memory_order_relaxed)) {
                try {
                    next->result = look_up(next->host.c_str(), next->port, AI_ADDRCONFIG, next->found);
                    if (next->result != 0) {
                        next->result = unless_out_of_descriptors(next->result);
                    }
                } catch (...) {
                    next->result = EAI_MEMORY;
                }
            }
            deliver(std::move(next));
            lock.lock();
        }
    }

    void deliver(std::shared_ptr<request> finished) {
        // Not post(): a loop that is being destroyed takes nothing from its queue any more.
        while (!loop_.try_post([finished] { complete(*finished); })) {
            const std::lock_guard lock(mutex_);
            if (stopping_) {
                return;
            }
            std::this_thread::yield();
        }
    }

    static void complete(request& finished) {
        resolve_op* const operation = std::exchange(finished.operation, nullptr);
        if (operation == nullptr) {
            return;
        }
        operation->endpoints = std::move(finished.found);
        operation->result = finished.result;
        finished.owner->complete(*operation);
    }

    loop& loop_;
    const pid_t process_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::shared_ptr<request>> requests_;
    bool stopping_ = false;
    // Last: it starts when all else is there.
    std::thread thread_;
};

resolver::resolver(loop& owner) : loop_(owner) {}

resolver::~resolver() {
    if (worker_ != nullptr && !worker_->exists()) {
        // Neither its thread nor its lock can be waited for.
        static_cast<void>(worker_.release());
    }
}

bool resolver::submit(resolve_op& operation) noexcept {
    try {
        auto asked = std::make_shared<request>();
        asked->host = operation.host;
        asked->port = operation.port;
        operation.state = op_state::in_flight;
        if (look_up(asked->host.c_str(), asked->port, AI_NUMERICHOST, operation.endpoints) == 0) {
            operation.result = 0;
            operation.state = op_state::done;
            return true;
        }
        if (worker_ == nullptr) {
            worker_ = std::make_unique<worker>(loop_);
        }
        asked->operation = &operation;
        asked->owner = &loop_;
        operation.request = asked.get();
        worker_->push(std::move(asked));
        return false;
    } catch (const std::system_error&) {
        // No thread for a lookup now.
        operation.result = EAI_AGAIN;
    } catch (...) {
        operation.result = EAI_MEMORY;
    }
    operation.state = op_state::done;
    return true;
}

void resolver::cancel(resolve_op& operation) noexcept {
    // The request lives until the worker has posted its end, and the op is in flight until then.
    auto& asked = *static_cast<request*>(operation.request);
    asked.operation = nullptr;
    asked.abandoned.store(true, std::memory_order_relaxed);
    loop_.complete_cancelled(operation);
}

} // namespace phoenix::net::detail
