-- A lease: one holder at a time, and a token that grows with each, so that a holder that slept can be told from the one after it. Who has it and
-- asks for it does not know what became of its last question: it gets a new token, and the one before, which it may never have heard, ends.
--
-- KEYS   1  the lease: its holder, while it lasts
--        2  the fence: the token of the newest holder, kept for good
-- ARGV   1  acquire, renew or release
--        2  the holder
--        3  milliseconds the lease lasts from now (acquire, renew)
--        4  the holder's token (renew, release)
-- Returns {"ok", token}, or {"held", holder}: somebody else has it, or nobody any more ("").

local holder = redis.call('GET', KEYS[1]) or ''
if ARGV[1] == 'acquire' then
  if holder ~= '' and holder ~= ARGV[2] then
    return {'held', holder}
  end
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return {'ok', string.format('%.0f', redis.call('INCR', KEYS[2]))}
end
if holder ~= ARGV[2] or redis.call('GET', KEYS[2]) ~= ARGV[4] then
  return {'held', holder}
end
if ARGV[1] == 'renew' then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
else
  redis.call('DEL', KEYS[1])
end
return {'ok', ARGV[4]}
