#include "gateway/measure/distributions.hpp"

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace touchgate::measure {

namespace {

namespace math = boost::math;
// Values out of range give NaN or infinity instead of an exception: what comes from a report's data must not throw.
using Quiet = math::policies::policy<math::policies::domain_error<math::policies::ignore_error>, math::policies::pole_error<math::policies::ignore_error>,
                                     math::policies::overflow_error<math::policies::ignore_error>, math::policies::evaluation_error<math::policies::ignore_error>>;
constexpr double none = std::numeric_limits<double>::quiet_NaN();

bool is_probability(double p) { return p > 0 && p < 1; }

}  // namespace

double normal_quantile(double p) { return is_probability(p) ? math::quantile(math::normal_distribution<double, Quiet>{}, p) : none; }

double normal_upper_tail(double z) {
    if (std::isnan(z)) return none;
    if (std::isinf(z)) return z > 0 ? 0 : 1;
    return math::cdf(math::complement(math::normal_distribution<double, Quiet>{}, z));
}

double student_t_quantile(double p, double degrees_of_freedom) {
    if (!is_probability(p) || !(degrees_of_freedom > 0)) return none;
    return math::quantile(math::students_t_distribution<double, Quiet>{degrees_of_freedom}, p);
}

double student_t_upper_tail(double t, double degrees_of_freedom) {
    if (std::isnan(t) || !(degrees_of_freedom > 0)) return none;
    if (std::isinf(t)) return t > 0 ? 0 : 1;
    return math::cdf(math::complement(math::students_t_distribution<double, Quiet>{degrees_of_freedom}, t));
}

double chi_square_upper_tail(double x, double degrees_of_freedom) {
    if (std::isnan(x) || !(degrees_of_freedom > 0)) return none;
    if (x <= 0) return 1;
    if (std::isinf(x)) return 0;
    return math::cdf(math::complement(math::chi_squared_distribution<double, Quiet>{degrees_of_freedom}, x));
}

}  // namespace touchgate::measure
