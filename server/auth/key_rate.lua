-- A rate over all servers: a bucket that fills evenly and holds one minute's worth. A server asks for several deliveries at once and
-- spends them by itself. The clock is the store's, so that servers whose clocks differ share one rate.
--
-- KEYS   1  the rate: microseconds until which the deliveries so far are paid for
-- ARGV   1  microseconds that one delivery costs
--        2  deliveries that the bucket holds
--        3  deliveries that are asked for
-- Returns {granted, microseconds until one more would be}; granted may be less than asked for, and 0.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local cost, holds, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local paid = tonumber(redis.call('GET', KEYS[1]) or '0')
paid = math.min(math.max(paid, now), now + holds * cost) -- a clock that stepped back shuts nobody out for longer than a minute
local granted = math.min(want, math.floor((now + holds * cost - paid) / cost))
if granted <= 0 then
  return {0, math.ceil(paid + cost - now - holds * cost)}
end
paid = paid + granted * cost
redis.call('SET', KEYS[1], string.format('%.0f', paid), 'PX', math.ceil((paid - now) / 1000) + 1)
return {granted, 0}
