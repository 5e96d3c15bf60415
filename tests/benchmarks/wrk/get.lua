-- Arguments: milliseconds between an answer and the next request of a connection.
dofile("tests/benchmarks/wrk/common.lua")

function init(args)
  local pause = tonumber(args[1])
  if pause and pause > 0 then
    delay = function() return pause end
  end
end
