#include <phoenix/replication/core/error.hpp>
#include <phoenix/replication/session/mac.hpp>

#include <memory>
#include <string>
#include <vector>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace phoenix::replication {

namespace {

void expect_success(bool succeeded, const char* what) {
    if (!succeeded) {
        throw_error(errc::cryptography_failed, std::string("OpenSSL refused ") + what);
    }
}

struct free_context {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

} // namespace

digest256 sha256(std::initializer_list<std::span<const std::byte>> parts) {
    const std::unique_ptr<EVP_MD_CTX, free_context> context(EVP_MD_CTX_new());
    expect_success(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1,
                   "SHA-256");
    for (const auto& part : parts) {
        expect_success(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1, "SHA-256");
    }
    digest256 made{};
    expect_success(
        EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(made.data()), nullptr) == 1,
        "SHA-256");
    return made;
}

digest256 hmac_sha256(std::string_view secret, std::string_view label, std::span<const std::byte> message) {
    std::vector<unsigned char> all(label.begin(), label.end());
    const auto* const bytes = reinterpret_cast<const unsigned char*>(message.data());
    all.insert(all.end(), bytes, bytes + message.size());
    digest256 made{};
    unsigned int size = 0;
    expect_success(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), all.data(), all.size(),
                        reinterpret_cast<unsigned char*>(made.data()), &size) != nullptr &&
                       size == made.size(),
                   "HMAC-SHA-256");
    return made;
}

bool equal_in_constant_time(const digest256& a, const digest256& b) noexcept {
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace phoenix::replication
