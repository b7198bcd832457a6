// Sends back what it receives: echo [ADDRESS], 127.0.0.1:7000 unless said otherwise.
// Try it with `nc 127.0.0.1 7000`.
#include <phoenix/net/serve.hpp>

#include <exception>
#include <iostream>

using namespace phoenix::net;

task<> echo(stream peer) {
    for (;;) {
        const auto data = co_await peer.read_some();
        if (data.empty()) {
            co_return; // the peer has ended its side; what was written still leaves
        }
        co_await peer.write(data);
    }
}

task<> server(endpoint address) {
    loop& here = co_await this_loop();
    listener door(here, address);
    std::cout << "echo on " << door.local_endpoint().to_string() << ", " << here.driver_name() << std::endl;
    co_await serve(door, echo); // a connection that fails is logged, the others go on
}

int main(int argc, char** argv) try {
    loop here; // io_uring; Asio where the kernel refuses it
    here.run(server(endpoint::parse(argc > 1 ? argv[1] : "127.0.0.1:7000")));
} catch (const std::exception& error) {

    std::cerr << "echo: " << error.what() << '\n';
    return 1;
}
