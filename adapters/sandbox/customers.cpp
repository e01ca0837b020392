#include "adapters/sandbox/customers.hpp"

namespace touchgate::sandbox {

std::optional<CustomerAnswer> Customers::on_message(const CustomerBehaviour& behaviour, std::string_view phone) {
    if (!opted_out_.empty() && opted_out_.contains(std::string{phone})) ++messages_after_opt_out_;
    if (behaviour.opt_out <= 0 && behaviour.reply <= 0) return std::nullopt;
    const auto chosen = random_.unit();
    const bool opts_out = chosen < behaviour.opt_out;
    if (!opts_out && chosen >= behaviour.opt_out + behaviour.reply) return std::nullopt;
    const auto& words = opts_out ? behaviour.opt_out_words : behaviour.replies;
    if (opts_out) {
        opted_out_.emplace(phone);
        ++opt_outs_;
    } else {
        ++replies_;
    }
    const auto& word = words[static_cast<std::size_t>(random_.below(words.size()))];
    return CustomerAnswer{.text = word, .after = behaviour.reply_delay.draw(random_), .opt_out = opts_out};
}

}  // namespace touchgate::sandbox
