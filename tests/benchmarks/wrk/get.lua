-- Argument: milliseconds that a connection waits after an answer before its next request.
dofile("tests/benchmarks/wrk/common.lua")

function init(args)
  local pause = tonumber(args[1])
  if pause and pause > 0 then
    delay = function() return pause end
  end
end
