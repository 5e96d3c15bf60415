-- Loaded by each script: a clock, and the result as one line of JSON.

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } moment;
  int clock_gettime(int clock, moment *now);
]]

function now()
  local moment = ffi.new("moment")
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

function setup(thread)
  worker = thread
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %f, "status_errors": %d, "socket_errors": %d,' ..
    ' "steady": %d, "p50": %f, "p90": %f, "p99": %f, "longest": %f, "refusal": "%s"}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    worker:get("steady") or 0,
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3,
    (worker:get("refusal") or ""):gsub('[%c"\\]', " ")))
end

-- Counts the answers after the ramp-up, and keeps one refusal for the report.
function watch(ramp)
  local start = now()
  steady = 0
  response = function(status, headers, body)
    if now() - start >= ramp then steady = steady + 1 end
    if status > 399 then refusal = status .. " " .. body:sub(1, 200) end
  end
end
