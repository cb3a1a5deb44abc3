#!lua name=bench
-- The workloads of scripts/bench.sh jit as Redis functions.
local function word(v, at)
  local a, b, c, d = string.byte(v, at, at + 3)
  return a + b * 256 + c * 65536 + d * 16777216
end

local function countFriends(id, depth)
  local v = redis.call('GET', id)
  if not v then return 0 end
  local n = #v / 4
  if depth == 1 then return n end
  for i = 1, #v, 4 do n = n + countFriends(word(v, i), depth - 1) end
  return n
end

local function countAll(nodes, depth)
  local n = 0
  for id = 0, nodes - 1 do n = n + countFriends(id, depth) end
  return n
end

local function after(x)
  x = bit.bxor(x, bit.lshift(x, 13))
  x = bit.bxor(x, bit.rshift(x, 17))
  return bit.bxor(x, bit.lshift(x, 5))
end

local function profiles(seed, steps, keys)
  local x, sum = seed, 0
  for _ = 1, steps do
    x = after(x)
    local v = redis.call('GET', 'user:profile:' .. (10000000 + x % 4294967296 % keys))
    if v then sum = sum + word(v, 1) end
  end
  return sum
end

local function project(seed, steps, keys)
  local x, sum = seed, 0
  for _ = 1, steps do
    x = after(x)
    local head = redis.call('GETRANGE', x % 4294967296 % keys, 0, 3)
    if #head == 4 then sum = sum + string.byte(head, 1) + string.byte(head, 4) end
  end
  return sum
end

local function unpackDoubles(v)
  local list = {}
  for i = 1, #v / 8 do list[i] = struct.unpack('<d', v, 8 * i - 7) end
  return list
end

local function layer(weights, at, x, units)
  local out = {}
  for j = 1, units do
    local sum = 0
    for i = 1, #x do
      sum = sum + weights[at] * x[i]
      at = at + 1
    end
    out[j] = 1 / (1 + math.exp(-(sum + weights[at])))
    at = at + 1
  end
  return out, at
end

local function classifyMany(model, sample, times)
  local sum = 0
  for _ = 1, times do
    local weights, x = unpackDoubles(redis.call('GET', model)), unpackDoubles(redis.call('GET', sample))
    local hidden, at = layer(weights, 1, x, 5)
    local out, best = layer(weights, at, hidden, 3), 1
    for k = 2, #out do if out[k] > out[best] then best = k end end
    sum = sum + best - 1
  end
  return sum
end

local function distinct(id, hops)
  local seen, count, frontier = {[id] = true}, 1, {id}
  for _ = 1, hops do
    local following = {}
    for _, x in ipairs(frontier) do
      local v = redis.call('GET', x)
      for i = 1, v and #v or 0, 4 do
        local y = word(v, i)
        if not seen[y] then
          seen[y] = true
          count = count + 1
          following[#following + 1] = y
        end
      end
    end
    frontier = following
  end
  return count
end

local function register(name, f)
  redis.register_function(name, function(_, args)
    for i = 1, #args do args[i] = tonumber(args[i]) end
    return string.format('%.17g', f(unpack(args)))
  end)
end

register('countFriends', countFriends)
register('countAll', countAll)
register('profiles', profiles)
register('project', project)
register('classifyMany', classifyMany)
register('distinct', distinct)
