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
--        then number of events, then per event: type, id, the number of the write whose document it tells (0: of none), else its document
--        then number of audit records, then per record: what stands before its before_hash, the index of the key whose document it changes
--             (0: its before_hash stands in the first already), what stands up to its sequence number, and what follows it
--        then the length of the case stream
-- Returns {"ok", last offset, "" where it tells nobody}, {"done", last offset} for a repeated step, or {"conflict", number of the check}.

local at = 2
local function take()
  at = at + 1
  return ARGV[at]
end

local known = {} -- key -> its type, where it has been seen
local stood = {} -- key -> the hash of its document, where its revision was read
for i = 1, tonumber(take()) do
  local kind, key, field, want = take(), KEYS[tonumber(take())], take(), take()
  local got
  if kind == 'rev' then
    local both = redis.call('HMGET', key, 'rev', 'hash')
    got, stood[key] = both[1], both[2] or ''
  elseif kind == 'str' then
    got = redis.call('GET', key)
  else
    got = redis.call('HGET', key, field)
  end
  known[key] = kind == 'str' and 'string' or 'hash'
  if (got or '') ~= want then
    if kind == 'rev' and redis.call('HGET', key, 'step') == ARGV[1] then
      return {'done', redis.call('GET', KEYS[2]) or '0'}
    end
    return {'conflict', tostring(i)}
  end
end

-- Whatever may fail is looked at before anything is written: an act that cannot be done leaves no record, and one that cannot be recorded is
-- not done. The look at a key of another type fails as its write would, and tells besides what would change nothing: that is left out. The
-- very first write needs no look: where it fails, nothing has been written.
local wants = {
  doc = 'hash', inside = 'hash', hset = 'hash', hdel = 'hash', zadd = 'zset', zrem = 'zset', zcut = 'zset', sadd = 'set', srem = 'set', set = '', gone = 'hash', del = ''
}
local function look(kind, key, a, b)
  if kind == 'hset' then
    local got = redis.pcall('HGET', key, a)
    return got, got == b
  elseif kind == 'sadd' or kind == 'srem' then
    local got = redis.pcall('SISMEMBER', key, a)
    return got, got == (kind == 'sadd' and 1 or 0)
  elseif kind == 'zadd' then
    local got = redis.pcall('ZSCORE', key, b)
    return got, got == a
  elseif kind == 'zrem' then
    local got = redis.pcall('ZSCORE', key, a)
    return got, got == false
  elseif kind == 'zcut' then
    return redis.pcall('ZCARD', key), false
  elseif kind == 'stream' then
    return redis.pcall('XLEN', key), false
  end
  return redis.pcall('HGET', key, 'hash'), false
end

local was = {} -- index of a document's key -> the hash of what it was before the first write
local idle = {} -- number of a write -> it would change nothing
local wrote = {} -- key -> a write before has it too, so that the look does not tell what will stand there
local first = at
for i = 1, tonumber(take()) do
  local kind, n, a, b = take(), take(), take(), take()
  at = at + (kind == 'doc' and 2 or 1)
  local key, want = KEYS[tonumber(n)], wants[kind]
  if not want then
    return redis.error_reply('ERR unknown write ' .. kind)
  end
  local told = kind == 'doc' or kind == 'gone' -- its hash goes into its record
  local got
  if want ~= '' then
    if known[key] then
      got = known[key] ~= want and {err = ''}
    elseif told or i > 1 then
      got, idle[i] = look(kind, key, a, b)
    end
    if type(got) == 'table' then
      return redis.error_reply('WRONGTYPE ' .. key .. ' is no ' .. want)
    end
    known[key] = want
  end
  if told and was[n] == nil then
    was[n] = stood[key] or got or redis.call('HGET', key, 'hash') or ''
  end
  idle[i] = idle[i] and not wrote[key]
  wrote[key] = true
end
-- The streams of what follows; their counters need no look, for one that is none is begun anew.
local tells = tonumber(take())
at = at + 4 * tells
for stream, n in pairs({[KEYS[1]] = tells, [KEYS[3]] = tonumber(take())}) do
  if n > 0 and type(look('stream', stream)) == 'table' then
    return redis.error_reply('WRONGTYPE ' .. stream .. ' is no stream')
  end
end
at = first

local docs = {} -- number of a write -> the document
for i = 1, tonumber(take()) do
  local kind, n, a, b, c = take(), take(), take(), take(), take()
  local key = KEYS[tonumber(n)]
  if kind == 'doc' then
    docs[i] = b
    redis.call('HSET', key, 'rev', a, 'doc', b, 'own', c, 'step', ARGV[1], 'hash', take())
  elseif idle[i] then
    -- it stands there
  elseif kind == 'inside' then
    redis.call('HSET', key, 'rev', a, 'own', b, 'step', ARGV[1])
  elseif kind == 'gone' then
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
  end
end

local events = {}
for i = 1, tonumber(take()) do
  local kind, id, n, doc = take(), take(), take(), take()
  events[i] = {kind, id, docs[tonumber(n)] or doc}
end
local records = {}
for i = 1, tonumber(take()) do
  records[i] = {take(), was[take()] or '', take(), take()}
end
-- append adds an entry under the next number, which it gives. A counter that somebody has set back, or made no number, goes on behind what is
-- there.
local function append(stream, counter, write)
  local n = redis.pcall('INCR', counter)
  if type(n) == 'number' then
    n = string.format('%.0f', n)
    if type(write(n)) == 'string' then
      return n
    end
  end
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
  redis.call('SET', counter, last and string.match(last[1], '^%d+') or '0')
  n = string.format('%.0f', redis.call('INCR', counter))
  local done = write(n)
  if type(done) ~= 'string' then
    error(done.err)
  end
  return n
end

local length, offset = take(), nil
for _, e in ipairs(events) do
  offset = append(KEYS[1], KEYS[2], function(n)
    return redis.pcall('XADD', KEYS[1], 'MAXLEN', '~', length, n .. '-0', 'type', e[1], 'id', e[2], 'doc', e[3])
  end)
end
for _, r in ipairs(records) do
  append(KEYS[3], KEYS[4], function(n)
    return redis.pcall('XADD', KEYS[3], n .. '-0', 'record', r[1] .. r[2] .. r[3] .. n .. r[4])
  end)
end
return {'ok', offset or ''}
