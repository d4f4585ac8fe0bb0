-- One change of a feed's quarantine: compare, then write, all or nothing. Redis 7.0 commands only, and miniredis runs it too.
--
-- KEYS   1  the causes: rev, step, key, id -> cause
--        2  what every server must know of all feeds
--        3+ the deliveries of the causes that are touched (streams)
-- ARGV   1  rev that was read; "" means nothing was there
--        2  rev from now on
--        3  id of this step; a shelf that already bears it was written by an earlier try whose answer was lost
--        4  milliseconds that causes and deliveries live from now
--        5, 6  field and value of KEYS[2];  7  milliseconds it lives from now
--        8  the sealed key that closes what is added; where the shelf has another by now, nothing is written
--        then number of causes to write, then per cause: id, document
--        then number of causes to forget, then their ids
--        then number of streams to drop, then their places in KEYS
--        then number of deliveries to take out, then per delivery: place of its stream, id
--        then number of deliveries to add, then per delivery: place of its stream, id, what is told of it, field of its bytes, bytes
-- Returns "ok", "done" for a repeated step, or "conflict".

local at = 8
local function take()
  at = at + 1
  return ARGV[at]
end

if (redis.call('HGET', KEYS[1], 'rev') or '') ~= ARGV[1] then
  if redis.call('HGET', KEYS[1], 'step') == ARGV[3] then
    return 'done'
  end
  return 'conflict'
end
if (redis.call('HGET', KEYS[1], 'key') or ARGV[8]) ~= ARGV[8] then
  return 'conflict'
end
redis.call('HSET', KEYS[1], 'rev', ARGV[2], 'step', ARGV[3], 'key', ARGV[8])
for _ = 1, tonumber(take()) do
  local id, document = take(), take()
  redis.call('HSET', KEYS[1], id, document)
end
for _ = 1, tonumber(take()) do
  redis.call('HDEL', KEYS[1], take())
end
for _ = 1, tonumber(take()) do
  redis.call('DEL', KEYS[tonumber(take())])
end
for _ = 1, tonumber(take()) do
  local key, id = KEYS[tonumber(take())], take()
  redis.call('XDEL', key, id)
end
for _ = 1, tonumber(take()) do
  local key, id, told, field, bytes = KEYS[tonumber(take())], take(), take(), take(), take()
  redis.call('XADD', key, id, 'm', told, field, bytes)
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
for i = 3, #KEYS do
  redis.call('PEXPIRE', KEYS[i], ARGV[4])
end
redis.call('HSET', KEYS[2], ARGV[5], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
return 'ok'
