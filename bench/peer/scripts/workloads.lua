-- The workloads of scripts/bench.sh jit in Lua, for LuaJIT and Tarantool. lookup and
-- lookupText return a pointer to uint32_t, the index of the value's first word, the
-- value's size in bytes, and what keeps the memory alive.
local ffi = require('ffi')
local bit = require('bit')
local bxor, lshift, rshift = bit.bxor, bit.lshift, bit.rshift

return function(lookup, lookupText)
  local f = {}

  local function countFriends(id, depth)
    local words, from, size, keep = lookup(id)
    if words == nil then return 0 end
    local n = size / 4
    if depth == 1 then return n end
    for i = from, from + n - 1 do n = n + (countFriends(words[i], depth - 1)) end
    return n, keep -- which lives so long
  end
  f.countFriends = countFriends

  function f.countAll(nodes, depth)
    local n = 0
    for id = 0, nodes - 1 do n = n + (countFriends(id, depth)) end
    return n
  end

  function f.chase(key, steps)
    for _ = 1, steps do
      local words, from = lookup(key)
      key = words == nil and 0 or words[from]
    end
    return key
  end

  -- Marsaglia's xorshift; bit operations are signed in Lua.
  local function after(x)
    x = bxor(x, lshift(x, 13))
    x = bxor(x, rshift(x, 17))
    return bxor(x, lshift(x, 5))
  end

  function f.gather(seed, steps, keys)
    local x, sum = seed, 0
    for _ = 1, steps do
      x = after(x)
      local words, from = lookup(x % 4294967296 % keys)
      if words ~= nil then sum = sum + words[from] end
    end
    return sum
  end

  function f.profiles(seed, steps, keys)
    local x, sum = seed, 0
    for _ = 1, steps do
      x = after(x)
      local words, from = lookupText('user:profile:' .. (10000000 + x % 4294967296 % keys))
      if words ~= nil then sum = sum + words[from] end
    end
    return sum
  end

  function f.project(seed, steps, keys)
    local x, sum = seed, 0
    for _ = 1, steps do
      x = after(x)
      local words, from = lookup(x % 4294967296 % keys)
      if words ~= nil then
        local head = words[from]
        sum = sum + head % 256 + math.floor(head / 16777216)
      end
    end
    return sum
  end

  local double = ffi.typeof('const double *')

  local function layer(weights, at, x, inputs, units)
    local out = {}
    for j = 1, units do
      local sum = 0
      for i = 1, inputs do
        sum = sum + weights[at] * x[i]
        at = at + 1
      end
      out[j] = 1 / (1 + math.exp(-(sum + weights[at])))
      at = at + 1
    end
    return out, at
  end

  local function classify(model, sample)
    local words, from, _, keep = lookup(model)
    local weights = ffi.cast(double, words + from)
    local inputs, first, size, alive = lookup(sample)
    -- one-based, as a table of Lua is
    local x = ffi.cast(double, inputs + first) - 1
    local hidden, at = layer(weights, 0, x, size / 8, 5)
    local out = layer(weights, at, hidden, 5, 3)
    local best = 1
    for k = 2, #out do if out[k] > out[best] then best = k end end
    return best - 1, keep, alive
  end

  function f.classifyMany(model, sample, times)
    local sum = 0
    for _ = 1, times do sum = sum + (classify(model, sample)) end
    return sum
  end

  function f.distinct(id, hops)
    local seen, count, frontier, kept = {[id] = true}, 1, {id}
    for _ = 1, hops do
      local following, n = {}, 0
      for _, x in ipairs(frontier) do
        local words, from, size, keep = lookup(x)
        if words ~= nil then
          kept = keep
          for i = from, from + size / 4 - 1 do
            local y = words[i]
            if not seen[y] then
              seen[y] = true
              count, n = count + 1, n + 1
              following[n] = y
            end
          end
        end
      end
      frontier = following
    end
    return count, kept
  end

  return f
end
