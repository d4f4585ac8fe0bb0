-- Takes the older changes of one case out of the case stream for good. XDEL only marks an entry: its bytes stay in memory, in the append-only
-- file and in every copy until the entries around it are gone too. So the stream is written anew, with the ids that it has.
--
-- KEYS   1  the case stream
--        2  a stream that is there only while this runs
-- ARGV   1  type of the case
--        2  its id
-- Returns how many entries were left out. The newest of the case stays: it says what is left of it.

local last, old = nil, {}
local n = 0
local function each(fn)
  local from = '-'
  while true do
    local part = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 1000)
    for _, e in ipairs(part) do fn(e[1], e[2]) end
    if #part < 1000 then return end
    from = '(' .. part[#part][1]
  end
end
each(function(id, v)
  if v[2] == ARGV[1] and v[4] == ARGV[2] then
    if last then old[last] = true; n = n + 1 end
    last = id
  end
end)
if n == 0 then return 0 end
redis.call('DEL', KEYS[2])
each(function(id, v)
  if not old[id] then redis.call('XADD', KEYS[2], id, unpack(v)) end
end)
redis.call('RENAME', KEYS[2], KEYS[1])
return n
