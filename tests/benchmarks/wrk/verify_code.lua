-- Signs in with numbers and codes from a file. Argument: the file. Requests after its last line fail.
dofile("tests/benchmarks/wrk/common.lua")

function init(args)
  lines = io.lines(args[1])
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  watch(0)
end

function request()
  local phone, code = (lines() or "none 0000"):match("(%S+) (%S+)")
  local body = string.format('{"phone_number": "%s", "code": "%s"}', phone, code)
  return wrk.format(nil, nil, nil, body)
end
