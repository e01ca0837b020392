// What nearly every file of the app needs and what rarely changes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/channel/adapter.hpp"
#include "gateway/crypto/crypto.hpp"
#include "gateway/json/json.hpp"
