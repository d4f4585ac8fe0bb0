-- Takes back what was counted of somebody who is in now.
--
-- KEYS  1 the counter of the account or browser: it begins anew; 2 (may be absent) of the address: one try less
redis.call('DEL', KEYS[1])
if KEYS[2] then
  local n = tonumber(redis.call('HGET', KEYS[2], 'n') or '0') - 1
  if n <= 0 then
    redis.call('DEL', KEYS[2])
  else
    redis.call('HSET', KEYS[2], 'n', n, 'until', 0)
  end
end
return 0
