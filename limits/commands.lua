-- Runs or refunds a list of commands on counters, locks and lists, in one atomic step.
--
-- KEYS     the keys of each command, one command after the other
-- ARGV[1]  "run", "check" or "refund"
-- ARGV[2]  the commands, as a JSON list of {name, number of keys, and its arguments}
--
-- "run" refuses all commands if one of them refuses: it returns {1, {the place of the
-- first that does, counted from 0, and the milliseconds to wait}}. Otherwise it returns
-- {0, {the result of each}}. "check" refuses in the same way, and runs none. What each
-- command stores is told in command_types.py.

local function number(key)
  return tonumber(redis.call('GET', key) or 0)
end

local function exists(key)
  return redis.call('EXISTS', key) == 1
end

local function never() return false end
local function nothing() return 0 end

-- Sliding periods: a hash of slice -> attempts.

local function current_slice(c)
  return math.floor(c.now / c.slice_milliseconds)
end

-- The slices that still count, as {slice, attempts}; and the sum of their attempts.
local function slices(key, c)
  local found, total = {}, 0
  local oldest = current_slice(c) - c.slices
  local stored = redis.call('HGETALL', key)
  for n = 1, #stored, 2 do
    local slice, attempts = tonumber(stored[n]), tonumber(stored[n + 1])
    if slice < oldest then
      redis.call('HDEL', key, stored[n])
    else
      found[#found + 1] = {slice, attempts}
      total = total + attempts
    end
  end
  return found, total
end

local function oldest_first(found)
  table.sort(found, function(a, b) return a[1] < b[1] end)
  return found
end

local function total(key, c)
  local _, sum = slices(key, c)
  return sum
end

-- Keeps what it has counted, so that `attempt` need not count again.
local function is_reached(c)
  c.total = total(c.key, c)
  if c.total < c.limit then return false end
  return not c.unless or total(c.second_key, c.unless) >= c.unless.limit
end

local function milliseconds_to_wait(c)
  local found, left = slices(c.key, c)
  for _, pair in ipairs(oldest_first(found)) do
    left = left - pair[2]
    if left < c.limit then
      return (pair[1] + c.slices + 1) * c.slice_milliseconds - c.now
    end
  end
  return c.slice_milliseconds * c.slices  -- a limit of 0 never lets anybody through
end

-- Uses c.total, which `is_reached` has set: every command is asked first.
local function attempt(c)
  if c.amount > 0 then
    local slice = string.format('%.0f', current_slice(c))
    redis.call('HINCRBY', c.key, slice, c.amount)
    redis.call('PEXPIRE', c.key, c.slice_milliseconds * (c.slices + 1))
  end
  return c.total + c.amount
end

local function take_back(c)
  local found, left = slices(c.key, c), c.amount
  oldest_first(found)
  for n = #found, 1, -1 do
    local taken = math.min(left, found[n][2])
    if taken > 0 then
      redis.call('HINCRBY', c.key, string.format('%.0f', found[n][1]), -taken)
      left = left - taken
    end
  end
end

local commands = {
  AttemptCount = {
    refuses = never,
    run = function(c) return total(c.key, c) end,
    refund = nothing,
  },
  TimeUntilFewer = {
    refuses = never,
    run = function(c)
      c.limit = total(c.key, c)
      return c.limit > 0 and milliseconds_to_wait(c) or 0
    end,
    refund = nothing,
  },
  AttemptLimit = {
    refuses = is_reached,
    wait = milliseconds_to_wait,
    run = attempt,
    refund = take_back,
  },
  DistinctLimit = {
    refuses = function(c) return not exists(c.second_key) and is_reached(c) end,
    wait = milliseconds_to_wait,
    run = function(c)
      if redis.call('INCR', c.second_key) > 1 then return 0 end
      redis.call('PEXPIRE', c.second_key, c.slice_milliseconds * c.slices)
      return attempt(c)
    end,
    refund = function(c)
      local made = number(c.second_key)
      if made > 1 then
        redis.call('DECR', c.second_key)
      elseif made == 1 then
        take_back(c)
        redis.call('DEL', c.second_key)
      end
    end,
  },
  Lock = {
    refuses = function(c) return exists(c.key) end,
    run = function(c)
      redis.call('SET', c.key, string.format('%.0f', c.value), 'PX', c.milliseconds)
      return 1
    end,
    refund = function(c) redis.call('DEL', c.key) end,
  },
  Countdown = {
    refuses = function(c) return number(c.key) <= 0 end,
    run = function(c) return redis.call('DECRBY', c.key, c.amount) end,
    refund = function(c)
      if exists(c.key) then redis.call('INCRBY', c.key, c.amount) end
    end,
  },
  Switch = {
    refuses = function(c) return exists(c.key) end,
    run = nothing,
    refund = nothing,
  },
  AddToHistory = {
    refuses = never,
    run = function(c)
      redis.call('LPUSH', c.key, c.entry)
      redis.call('LTRIM', c.key, 0, c.at_most - 1)
      redis.call('EXPIRE', c.key, c.seconds)
      return 0
    end,
    refund = nothing,
  },
  Tally = {
    refuses = never,
    run = function(c)
      local count = redis.call('INCR', c.key)
      if count == 1 then redis.call('PEXPIRE', c.key, c.milliseconds) end
      return count
    end,
    refund = function(c)
      if exists(c.key) then redis.call('DECR', c.key) end
    end,
  },
}

local list = cjson.decode(ARGV[2])
local used = 0
for _, c in ipairs(list) do
  c.key, c.second_key = KEYS[used + 1], KEYS[used + 2]
  used = used + c.keys
end
if ARGV[1] ~= 'refund' then
  for n, c in ipairs(list) do
    local command = commands[c.name]
    if command.refuses(c) then
      return {1, {n - 1, command.wait and command.wait(c) or 0}}
    end
  end
end
if ARGV[1] == 'check' then return {0, {}} end
local results = {}
for n, c in ipairs(list) do
  results[n] = commands[c.name][ARGV[1]](c) or 0
end
return {0, results}
