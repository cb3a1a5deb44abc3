-- A store for Tarantool: two memtx spaces, one for integer keys and one for byte keys.
local ffi = require('ffi')
local word = ffi.typeof('const uint32_t *')

return function(records, bytes)
  box.cfg{wal_mode = 'none', memtx_memory = 128 * 1024 * 1024 + 128 * records + 2 * bytes, log = 'tarantool.log', work_dir = '.'}
  local function space(name, kind)
    local s = box.schema.space.create(name)
    s:create_index('primary', {type = 'hash', parts = {1, kind}})
    return s
  end
  local integers, texts = space('integers', 'unsigned'), space('texts', 'string')

  local function put(key, value)
    (type(key) == 'string' and texts or integers):insert{key, value}
  end

  local function get(s, key)
    local t = s:get(key)
    if t == nil then return nil end
    local value = t[2]
    return ffi.cast(word, value), 0, #value, value
  end

  return put, function(key) return get(integers, key) end, function(key) return get(texts, key) end
end
