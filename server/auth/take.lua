-- Takes one try before it is judged, so that a thousand at once are counted as a thousand.
--
-- KEYS  counters: of an account or of a browser that it knows, and of an address
-- ARGV  now (ms); then for each key: free tries, tries until the lock, longest pause (ms), lock (ms; 0: none), lifetime (ms)
-- Reply 0: judge it. Else how many ms to wait: nothing was counted.
local now, wait = tonumber(ARGV[1]), 0
for _, key in ipairs(KEYS) do
  wait = math.max(wait, tonumber(redis.call('HGET', key, 'until') or '0') - now)
end
if wait > 0 then
  return wait
end
for i, key in ipairs(KEYS) do
  local at = 5 * i - 4
  local free, most, longest = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local lock, life = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5])
  local n, pause = redis.call('HINCRBY', key, 'n', 1), 0
  if n > free then
    pause = math.min(longest, 1000 * 2 ^ math.min(n - free - 1, 20))
  else
    life = math.min(life, 3600000) -- names that nobody bears must not fill the store
  end
  if lock > 0 and n >= most then
    pause = lock
  end
  redis.call('HSET', key, 'until', string.format('%.0f', now + pause))
  redis.call('PEXPIRE', key, life)
end
return 0
