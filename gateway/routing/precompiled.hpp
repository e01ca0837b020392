// What most files of this module include and what seldom changes.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/base/bytes.hpp"
#include "gateway/base/random.hpp"
#include "gateway/base/time.hpp"
#include "gateway/json/json.hpp"
