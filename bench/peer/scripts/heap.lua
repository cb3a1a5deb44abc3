-- A store for LuaJIT: an open-addressing table (Fibonacci hashing, at most a quarter full)
-- and the values in memory of the FFI. Byte keys are strings in a Lua table.
local ffi = require('ffi')
local bit = require('bit')

return function(records, bytes)
  local bits = math.max(4, math.ceil(math.log(4 * records) / math.log(2)))
  local count = 2 ^ bits
  local mask, shift = count - 1, 64 - bits
  -- A slot is the key, the index of the value's first word, its size, and whether it is used.
  local slots = ffi.new('uint32_t[?]', 4 * count)
  local words = ffi.new('uint32_t[?]', (bytes + 16 * records) / 4)
  local octets = ffi.cast('uint8_t *', words)
  local texts, sizes, top = {}, {}, 0

  local function hash(key)
    return tonumber(bit.rshift(0x9e3779b97f4a7c15ULL * key, shift))
  end

  local function put(key, value)
    top = bit.band(top + 7, bit.bnot(7))
    ffi.copy(octets + top, value, #value)
    if type(key) == 'string' then
      texts[key], sizes[key] = top / 4, #value
    else
      local i = hash(key)
      while slots[4 * i + 3] ~= 0 do i = bit.band(i + 1, mask) end
      slots[4 * i], slots[4 * i + 1], slots[4 * i + 2], slots[4 * i + 3] = key, top / 4, #value, 1
    end
    top = top + #value
  end

  -- The first probes stand in a row: a loop inside a loop is a trace of its own to LuaJIT.
  local function further(i, key)
    while slots[4 * i + 3] ~= 0 do
      if slots[4 * i] == key then return words, slots[4 * i + 1], slots[4 * i + 2] end
      i = bit.band(i + 1, mask)
    end
    return nil
  end

  local function lookup(key)
    local i = hash(key)
    if slots[4 * i] == key and slots[4 * i + 3] ~= 0 then return words, slots[4 * i + 1], slots[4 * i + 2] end
    if slots[4 * i + 3] == 0 then return nil end
    i = bit.band(i + 1, mask)
    if slots[4 * i] == key and slots[4 * i + 3] ~= 0 then return words, slots[4 * i + 1], slots[4 * i + 2] end
    if slots[4 * i + 3] == 0 then return nil end
    return further(bit.band(i + 1, mask), key)
  end

  local function lookupText(key)
    local from = texts[key]
    if from == nil then return nil end
    return words, from, sizes[key]
  end

  return put, lookup, lookupText
end
