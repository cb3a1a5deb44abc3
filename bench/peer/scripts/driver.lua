-- luajit driver.lua STORE RECORDS BYTES, and the same in tarantool: runs workloads.lua
-- over a store in Lua, as lines on standard input ask (see script.go).
local ffi = require('ffi')
ffi.cdef [[typedef struct { long seconds; long nanos; } benchTime; int clock_gettime(int clock, benchTime *now);]]
local time = ffi.new('benchTime')
local function nanos()
  ffi.C.clock_gettime(1, time)
  return tonumber(time.seconds) * 1e9 + tonumber(time.nanos)
end

package.path = './?.lua;' .. package.path
local put, lookup, lookupText = require(arg[1])(tonumber(arg[2]), tonumber(arg[3]))
local functions = require('workloads')(lookup, lookupText)

local function word(b, at)
  local w, x, y, z = b:byte(at, at + 3)
  return w + x * 256 + y * 65536 + z * 16777216
end

local function load(path)
  local file = assert(io.open(path, 'rb'))
  local b, at = file:read('*a'), 1
  file:close()
  while at <= #b do
    local keyLength, key = word(b, at)
    if keyLength == 0 then
      key, at = word(b, at + 4), at + 8
    else
      key, at = b:sub(at + 4, at + 3 + keyLength), at + 4 + keyLength
    end
    local size = word(b, at)
    put(key, b:sub(at + 4, at + 3 + size))
    at = at + 4 + size
  end
end

local function cycle(keys, factor, step)
  local value = ffi.new('uint32_t[1]')
  for i = 0, keys - 1 do
    value[0] = (i * factor + step) % keys
    put(i, ffi.string(value, 4))
  end
end

local function run(seconds, name, ...)
  local f, times = functions[name], {}
  local stop, now, result = nanos() + seconds * 1e9, nanos()
  repeat
    local start = now
    result = (f(...))
    now = nanos()
    times[#times + 1] = now - start
  until now >= stop
  table.sort(times)
  return ('%.0f %.17g'):format(times[math.ceil(#times / 2)], result)
end

local function answer(verb, ...)
  if verb == 'load' then
    load(...)
  elseif verb == 'cycle' or verb == 'run' then
    local words = {...}
    for i, w in ipairs(words) do words[i] = tonumber(w) or w end
    if verb == 'run' then return run(unpack(words)) end
    cycle(unpack(words))
  else
    error('unknown verb ' .. verb)
  end
  return ''
end

for line in io.lines() do
  local words = {}
  for w in line:gmatch('%S+') do words[#words + 1] = w end
  local ok, reply = pcall(answer, unpack(words))
  io.write(ok and 'ok ' or 'error ', (tostring(reply):gsub('\n', ' ')), '\n')
  io.flush()
end
os.exit(0)
