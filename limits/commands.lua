-- Runs or refunds a list of commands on counters, in one atomic step.
--
-- KEYS     two for each command: its key, and the key of its item (its key again if it
--          has no item)
-- ARGV[1]  "run" or "refund"
-- ARGV[2]  the commands, as a JSON list of {name, and its arguments}
--
-- "run" refuses all commands if one of them refuses, and returns the place of the first
-- that does, counted from 0; otherwise it returns a list with the result of each.
-- What each command stores is told in commands.py.

local function number(key)
  return tonumber(redis.call('GET', key) or 0)
end

local function exists(key)
  return redis.call('EXISTS', key) == 1
end

local function count(c)
  local total = redis.call('INCR', c.key)
  if total == 1 then redis.call('PEXPIRE', c.key, c.milliseconds) end
  return total
end

local function uncount(c)
  if exists(c.key) then redis.call('DECR', c.key) end
end

local function never() return false end
local function nothing() return 0 end

local commands = {
  AttemptLimit = {
    refuses = function(c) return number(c.key) >= c.limit end,
    run = count,
    refund = uncount,
  },
  DistinctLimit = {
    refuses = function(c) return not exists(c.item) and number(c.key) >= c.limit end,
    run = function(c)
      if exists(c.item) then return 0 end
      redis.call('SET', c.item, 1, 'PX', c.milliseconds)
      return count(c)
    end,
    refund = function(c)
      uncount(c)
      redis.call('DEL', c.item)
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
    run = function(c) return redis.call('DECR', c.key) end,
    refund = function(c)
      if exists(c.key) then redis.call('INCR', c.key) end
    end,
  },
  Switch = {
    refuses = function(c) return exists(c.key) end,
    run = nothing,
    refund = nothing,
  },
  Tally = {
    refuses = never,
    run = count,
    refund = uncount,
  },
  Read = {
    refuses = never,
    run = function(c) return number(c.key) end,
    refund = nothing,
  },
}

local list = cjson.decode(ARGV[2])
for n, c in ipairs(list) do
  c.key, c.item = KEYS[2 * n - 1], KEYS[2 * n]
end
if ARGV[1] == 'run' then
  for n, c in ipairs(list) do
    if commands[c.name].refuses(c) then return n - 1 end
  end
end
local results = {}
for n, c in ipairs(list) do
  results[n] = commands[c.name][ARGV[1]](c) or 0
end
return results
