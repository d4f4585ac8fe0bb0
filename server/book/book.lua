-- A change of what is no case, in one step with its records. Redis 7.0 commands only, and miniredis runs it too.
--
-- KEYS  the audit stream, its sequence, the words, what stands of kept documents; then every key of the commands
-- ARGV  number of commands, then per command: number of its words, and the words
--       number of words of people, then per each: its hash, and the document
--       number of kept documents, then per each: its object, and salt:hash of what it becomes ("": it goes)
--       number of records, then per record: what stands before its before_hash, the object whose hash before is meant ("": none), what
--       stands up to its sequence number, and what follows it
-- Returns the answers of the commands, in their order.

local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end

-- Whatever may fail is looked at before anything is written: a record that cannot be written fails the change, a command that would fail leaves
-- no record.
local function is(key, want)
  local t = redis.call('TYPE', key)
  if type(t) == 'table' then
    t = t.ok
  end
  return t == 'none' or t == want
end
if not (is(KEYS[1], 'stream') and is(KEYS[2], 'string') and is(KEYS[3], 'hash') and is(KEYS[4], 'hash')) then
  return redis.error_reply('ERR the audit log cannot be written: a key of it has another type')
end

-- A sequence that somebody has set back goes on behind the records that are there.
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
last = last and string.match(last[1], '^%d+') or '0'
local stands = redis.call('GET', KEYS[2]) or '0'
if not string.match(stands, '^%d+$') or #stands > 15 or tonumber(stands) < tonumber(last) then
  redis.call('SET', KEYS[2], last)
end

-- What a command works on; one that is none of these works on a key of any type.
local wants = {SADD = 'set', SREM = 'set', LPUSH = 'list', RPUSH = 'list', LTRIM = 'list', INCR = 'string'}
local families = {H = 'hash', Z = 'zset', X = 'stream'}
local commands = {}
for i = 1, tonumber(take()) do
  local c = {}
  for j = 1, tonumber(take()) do
    c[j] = take()
  end
  if #c > 7000 then -- unpack takes no more
    return redis.error_reply('ERR a command has ' .. #c .. ' words')
  end
  local name = string.upper(c[1])
  local want = wants[name] or families[string.sub(name, 1, 1)]
  if want and not is(c[2], want) then
    return redis.error_reply('WRONGTYPE ' .. c[2] .. ' is no ' .. want)
  end
  commands[i] = c
end

for _ = 1, tonumber(take()) do
  redis.call('HSET', KEYS[3], take(), take())
end
local was = {}
for _ = 1, tonumber(take()) do
  local object, becomes = take(), take()
  local stood = redis.call('HGET', KEYS[4], object) or ''
  was[object] = was[object] or string.match(stood, '^[^:]*:(.*)$') or ''
  if becomes == '' then
    redis.call('HDEL', KEYS[4], object)
  else
    redis.call('HSET', KEYS[4], object, becomes)
  end
end
for _ = 1, tonumber(take()) do
  local head, object, middle, tail = take(), take(), take(), take()
  local seq = string.format('%.0f', redis.call('INCR', KEYS[2]))
  redis.call('XADD', KEYS[1], seq .. '-0', 'record', head .. (was[object] or '') .. middle .. seq .. tail)
end
local out = {}
for i, c in ipairs(commands) do
  out[i] = redis.call(unpack(c))
end
return out
