-- Requests codes, each for a new number. Arguments: the first number, seconds of ramp-up.
dofile("tests/benchmarks/wrk/common.lua")

function init(args)
  number = tonumber(args[1])
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  watch(tonumber(args[2]))
end

function request()
  number = number + 1
  local phone = string.format("+7%d", number)
  return wrk.format(nil, nil, nil, '{"phone_number": "' .. phone .. '"}')
end
