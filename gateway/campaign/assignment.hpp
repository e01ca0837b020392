// Who is held out and who gets which variant: a stable hash of campaign and contact that anyone can compute again.
//
//   held out   iff  u64be(SHA-256("holdout\n" + campaign id + "\n" + contact id)[0..8]) < holdout · 2⁶⁴
//   arm        the first whose cumulated share · 2⁶⁴ lies above u64be(SHA-256("arm\n" + campaign id + "\n" + contact id)[0..8])
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/campaign/definition.hpp"
#include "gateway/crypto/crypto.hpp"

namespace touchgate::campaign {

// A recipient's place in the experiment, in one byte: the number of an arm, or one of the words below; `given` says that the audience's
// line gave it, not the hash.
using Assignment = std::uint8_t;
inline constexpr Assignment no_arm = 100;
inline constexpr Assignment held_out = 101;
inline constexpr Assignment unassigned = 102;
inline constexpr Assignment given = 0x80;
[[nodiscard]] constexpr Assignment place(Assignment assignment) { return static_cast<Assignment>(assignment & ~given); }

// True for the share `share` of all hash values; exact for every double.
[[nodiscard]] bool lies_below(std::uint64_t hash, double share);

class Assigner {
public:
    explicit Assigner(const Definition& definition);
    [[nodiscard]] Assignment operator()(std::string_view contact_id) const;

private:
    std::string holdout_prefix_, arm_prefix_;
    double holdout_;
    std::vector<double> bounds_;  // cumulated shares
};

// The place that a line names; nothing when no arm has this name.
[[nodiscard]] std::optional<Assignment> given_place(const Definition& definition, std::string_view arm);
// "a", "holdout" or nothing.
[[nodiscard]] std::string_view arm_name(const Definition& definition, Assignment assignment);

// The audience's SHA-256: over its recipients in order, each as contact id, tab, given arm (or nothing), line feed.
class AudienceHash {
public:
    void add(std::string_view contact_id, std::string_view given_arm);
    [[nodiscard]] std::string digest() const;  // 32 bytes

private:
    crypto::Sha256 hash_;
    std::string waiting_;
};

}  // namespace touchgate::campaign
