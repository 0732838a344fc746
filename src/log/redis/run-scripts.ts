/**
 * What Redis does in one step. The keys of one conversation share a hash tag, and scripts touch those of
 * one alone, so all of this works on a cluster too. Appends alone are of several where all keys are in one
 * place (append-calls.ts).
 *
 *   {id}:events   the stream; an entry's id is `<seq>-0`, its one field the event's JSON
 *   {id}:pen      the write lease: the run, its fencing token (`fence`), the last number, whether the
 *                 run is over
 *   {id}:ended    the runs that are over, oldest first: `<last number> <when> <bytes>`
 *   {id}:bell     the channel of notifications
 *
 * The fencing token is an identity, not a counter: the name of the process that works on a run. Taking a
 * run over replaces it, and whatever the process before sends afterwards is refused in the same step in
 * which it would be written.
 *
 * The names of keys, fields and the channel stay as they are: nodes of several versions share them.
 */
import { luaNow, Script } from "../../redis/script.ts";

export interface ConversationKeys {
  readonly events: string;
  readonly lease: string;
  readonly ended: string;
  /**
   * The channel on which each append is published: the last number in a line, then, unless they are
   * long, the events themselves, one a line.
   */
  readonly channel: string;
}

export function keysOf(prefix: string, conversationId: string): ConversationKeys {
  const base = `${prefix}:{${conversationId}}`;
  return {
    events: `${base}:events`,
    lease: `${base}:pen`,
    ended: `${base}:ended`,
    channel: `${base}:bell`,
  };
}

/** Removes ended runs that are too old, and the oldest ones while there are too many bytes. */
const trim = `
local function trim(retentionMs, maxBytes)
  while true do
    local oldest = redis.call('LINDEX', KEYS[3], 0)
    if not oldest then return end
    local last, at, bytes = string.match(oldest, '^(%d+) (%d+) (%d+)$')
    local total = tonumber(redis.call('HGET', KEYS[2], 'bytes') or 0)
    if now - at < retentionMs and total <= maxBytes then return end
    redis.call('LPOP', KEYS[3])
    redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-0', last + 1))
    redis.call('HINCRBY', KEYS[2], 'bytes', -bytes)
  end
end
`;

/**
 * Gives the conversation's write lease to a run.
 * ARGV: run, fencing token, number of the event before, 1 to take the run over, time to live,
 * retention time, bytes kept. Answers `[how, last number]`.
 */
export const openScript = new Script<["opened" | "fenced" | "closed", number]>(`${luaNow}${trim}
local run, token, after, takeOver = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local lease = redis.call('HMGET', KEYS[2], 'run', 'fence', 'last', 'first', 'closed')
if lease[1] == run then
  if lease[5] then return {'closed', tonumber(lease[3])} end
  if lease[2] ~= token and not takeOver then return {'fenced', tonumber(lease[3])} end
elseif lease[1] and tonumber(lease[4]) > after + 1 then
  return {'fenced', tonumber(lease[3])}
end
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local last = newest and tonumber(string.match(newest[1], '^%d+')) or 0
if last < after then
  -- Redis lost events that were numbered. A stream with a gap would be read as one without.
  redis.call('DEL', KEYS[1], KEYS[3])
  redis.call('HDEL', KEYS[2], 'bytes', 'runBytes')
  last = after
else
  trim(tonumber(ARGV[6]), tonumber(ARGV[7]))
end
redis.call('HSET', KEYS[2], 'run', run, 'fence', token, 'last', last)
if lease[1] ~= run then
  redis.call('HSET', KEYS[2], 'first', string.format('%.0f', after + 1), 'runBytes', 0)
end
redis.call('HDEL', KEYS[2], 'closed')
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[5]) end
return {'opened', last}
`);

/** Bytes of events that a notification carries; of more it gives the number, and readers read them. */
const notificationBytes = 16 * 1024;

/** How Redis answers an append: the first says what became of it, the second its last number. */
export type Appended = readonly [
  how: "ok" | "gap" | "fenced" | "closed" | "lost" | "failed",
  last: number | string,
];

/**
 * Adds events of any number of runs, each of a conversation of its own. Those that are in already are
 * skipped, so it may be repeated. Each run is checked and added to by itself: what is refused, or fails,
 * says nothing of the others.
 * KEYS: two for each; three where the time to live of one is renewed.
 * ARGV: fencing token, keys for each; then for each: run, channel, number of the event before, number of
 * the last, how many events, events. In place of how many, `<events> <time to live> <bytes>`: of the two
 * 0 leaves the time alone, and counts nothing (see `closeScript`).
 * Answers for each `how, last number`, or `failed` and Redis's error, one after the other.
 *
 * What it costs Redis is mostly Lua's strings and numbers: so it is given as few as can be, as text what
 * the caller knows, and nothing is a number where all is as the caller expects.
 */
export const appendScript = new Script<(Appended[0] | Appended[1])[]>(`
local call, KEYS, ARGV = redis.call, KEYS, ARGV
local token, width = ARGV[1], tonumber(ARGV[2])
local function add(key, at, count, liveMs, counted)
  local pen = KEYS[key + 1]
  local lease = call('HMGET', pen, 'run', 'fence', 'last', 'closed')
  local last = lease[3]
  if not lease[1] then return 'lost', 0 end
  if lease[1] ~= ARGV[at] or lease[2] ~= token then return 'fenced', last end
  local from, to, newLast = at + 5, at + 4 + count, ARGV[at + 3]
  if last ~= ARGV[at + 2] then
    local missing = newLast - last
    if missing <= 0 then return 'ok', last end
    if missing > count then return lease[4] and 'closed' or 'gap', last end
    from = to + 1 - missing
  end
  if count == 0 then return 'ok', last end
  if lease[4] then return 'closed', last end
  local bytes = #ARGV[to]
  for i = from, to - 1 do
    call('XADD', KEYS[key], string.format('%.0f-0', newLast - to + i), 'e', ARGV[i])
    bytes = bytes + #ARGV[i]
  end
  call('XADD', KEYS[key], newLast .. '-0', 'e', ARGV[to])
  call('HSET', pen, 'last', newLast)
  if counted and counted ~= '0' then
    call('HINCRBY', pen, 'bytes', counted)
    call('HINCRBY', pen, 'runBytes', counted)
  end
  if liveMs and liveMs ~= '0' then
    for i = key, key + width - 1 do call('PEXPIRE', KEYS[i], liveMs) end
  end
  local notification = newLast
  if bytes <= ${notificationBytes} then
    local events = from == to and ARGV[to] or table.concat(ARGV, '\\n', from, to)
    notification = newLast .. '\\n' .. events
  end
  call('PUBLISH', ARGV[at + 1], notification)
  return 'ok', newLast
end
local answers = {}
local key, at = 1, 3
while key < #KEYS do
  local count, liveMs, counted = tonumber(ARGV[at + 4])
  if not count then
    count, liveMs, counted = string.match(ARGV[at + 4], '^(%d+) (%d+) (%d+)$')
    count = tonumber(count)
  end
  local done, how, last = pcall(add, key, at, count, liveMs, counted)
  if not done then
    last = type(how) == 'table' and how.err or tostring(how)
    how = 'failed'
  end
  answers[#answers + 1] = how
  answers[#answers + 1] = last
  key, at = key + width, at + 5 + count
end
return answers
`);

/**
 * Gives the write lease back: nothing is added to the run any more, and it leaves after the retention
 * time. ARGV: run, fencing token, retention time, bytes kept, bytes to count.
 *
 * A run's bytes are counted some at a time, and the rest here. Of one whose process dies the last are not
 * counted, neither in the conversation's sum nor in what the run takes off it when it leaves.
 */
export const closeScript = new Script<number>(`${luaNow}${trim}
local lease = redis.call('HMGET', KEYS[2], 'run', 'fence', 'last', 'closed')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] or lease[4] then return 0 end
redis.call('HSET', KEYS[2], 'closed', 1)
redis.call('HINCRBY', KEYS[2], 'bytes', ARGV[5])
local bytes = redis.call('HINCRBY', KEYS[2], 'runBytes', ARGV[5])
redis.call('RPUSH', KEYS[3], string.format('%s %.0f %.0f', lease[3], now, bytes))
trim(tonumber(ARGV[3]), tonumber(ARGV[4]))
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3]) end
return 1
`);

/** Removes the events up to a number, and the ended runs that they are. ARGV: the number. */
export const forgetScript = new Script<number>(`
while true do
  local oldest = redis.call('LINDEX', KEYS[3], 0)
  local last, bytes = string.match(oldest or '', '^(%d+) %d+ (%d+)$')
  if not last or tonumber(last) > tonumber(ARGV[1]) then break end
  redis.call('LPOP', KEYS[3])
  redis.call('HINCRBY', KEYS[2], 'bytes', -bytes)
end
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-0', ARGV[1] + 1))
`);
