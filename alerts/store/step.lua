-- One act of a case: compare, then write, all or nothing. Redis 7.0 commands only, and miniredis runs it too.
--
-- KEYS   every key the step touches; the first four are the case stream, its offset, the audit stream, its sequence.
-- ARGV   1  id of this step; a document that already bears it was written by an earlier try whose answer was lost
--        2  milliseconds now (kept for readers of MONITOR; the script itself knows no clock)
--        3  number of checks, then per check: kind, index of its key, field, expected value
--             rev   HGET key rev  equals the value; "" means the document is absent
--             str   GET key       equals the value; "" means the key is absent
--             field HGET key field equals the value; "" means absent
--        then number of writes, then per write: kind, index of its key, and three values
--             doc  rev, document, internals    HSET key rev, doc, own, step, hash; the hash of the document follows as a fourth value
--             zadd score, member    zrem member    zcut score: all up to it             set value, ms to live (0: for ever)
--             sadd member    srem member       hset field, value     hdel field        del
--             gone: DEL of a document                     inside rev, internals: what stands beside a document that stays as it is
--        then number of events, then per event: type, id, document
--        then number of audit records, then per record: what stands before its before_hash, the index of the key whose document it changes
--             (0: its before_hash stands in the first already), what stands up to its sequence number, and what follows it
--        then the length of the case stream
-- Returns {"ok", last offset}, {"done", last offset} for a repeated step, or {"conflict", number of the check}.

local at = 2
local function take()
  at = at + 1
  return ARGV[at]
end

for i = 1, tonumber(take()) do
  local kind, key, field, want = take(), KEYS[tonumber(take())], take(), take()
  local got
  if kind == 'rev' then
    got = redis.call('HGET', key, 'rev')
  elseif kind == 'str' then
    got = redis.call('GET', key)
  else
    got = redis.call('HGET', key, field)
  end
  if (got or '') ~= want then
    if kind == 'rev' and redis.call('HGET', key, 'step') == ARGV[1] then
      return {'done', redis.call('GET', KEYS[2]) or '0'}
    end
    return {'conflict', tostring(i)}
  end
end

local was = {} -- index of a document's key -> the hash of what it was before the first write
local function before(n)
  if was[n] == nil then
    was[n] = redis.call('HGET', KEYS[tonumber(n)], 'hash') or ''
  end
end

for _ = 1, tonumber(take()) do
  local kind, n, a, b, c = take(), take(), take(), take(), take()
  local key = KEYS[tonumber(n)]
  if kind == 'doc' then
    before(n)
    redis.call('HSET', key, 'rev', a, 'doc', b, 'own', c, 'step', ARGV[1], 'hash', take())
  elseif kind == 'inside' then
    redis.call('HSET', key, 'rev', a, 'own', b, 'step', ARGV[1])
  elseif kind == 'gone' then
    before(n)
    redis.call('DEL', key)
  elseif kind == 'zadd' then
    redis.call('ZADD', key, a, b)
  elseif kind == 'zrem' then
    redis.call('ZREM', key, a)
  elseif kind == 'zcut' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', a)
  elseif kind == 'sadd' then
    redis.call('SADD', key, a)
  elseif kind == 'srem' then
    redis.call('SREM', key, a)
  elseif kind == 'hset' then
    redis.call('HSET', key, a, b)
  elseif kind == 'hdel' then
    redis.call('HDEL', key, a)
  elseif kind == 'del' then
    redis.call('DEL', key)
  elseif kind == 'set' then
    if b == '0' then
      redis.call('SET', key, a)
    else
      redis.call('SET', key, a, 'PX', b)
    end
  else
    return redis.error_reply('ERR unknown write ' .. kind)
  end
end

local events = {}
for i = 1, tonumber(take()) do
  events[i] = {take(), take(), take()}
end
local records = {}
for i = 1, tonumber(take()) do
  records[i] = {take(), was[take()] or '', take(), take()}
end
local length = take()
for _, e in ipairs(events) do
  local offset = redis.call('INCR', KEYS[2])
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', length, string.format('%.0f-0', offset), 'type', e[1], 'id', e[2], 'doc', e[3])
end
for _, r in ipairs(records) do
  local seq = string.format('%.0f', redis.call('INCR', KEYS[4]))
  redis.call('XADD', KEYS[3], seq .. '-0', 'record', r[1] .. r[2] .. r[3] .. seq .. r[4])
end
return {'ok', redis.call('GET', KEYS[2]) or '0'}
