/**
 * What Redis does in one step. Every script touches the keys of one conversation alone, which share a
 * hash tag, so all of this works on a cluster too.
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
export const openScript = new Script<["opened" | "fenced" | "closed", number]>(
  3,
  `${luaNow}${trim}
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
`,
);

/** Bytes of events that a notification carries; of more it gives the number, and readers read them. */
const notificationBytes = 16 * 1024;

/**
 * Adds a run's events from a number on. Those that are in already are skipped, so it may be repeated.
 * ARGV: run, fencing token, time to live or 0 to leave that alone, channel, number of the first event,
 * events.
 * Answers `[how, last number]`.
 */
export const appendScript = new Script<["ok" | "gap" | "fenced" | "closed" | "lost", number]>(
  3,
  `
local lease = redis.call('HMGET', KEYS[2], 'run', 'fence', 'last', 'closed', 'bytes', 'runBytes')
if not lease[1] then return {'lost', 0} end
local last = tonumber(lease[3])
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then return {'fenced', last} end
local first = tonumber(ARGV[5])
local newLast = first + #ARGV - 6
if newLast <= last then return {'ok', last} end
if lease[4] then return {'closed', last} end
if first > last + 1 then return {'gap', last} end
local bytes = 0
local from = 6 + last + 1 - first
for i = from, #ARGV do
  redis.call('XADD', KEYS[1], string.format('%.0f-0', first + i - 6), 'e', ARGV[i])
  bytes = bytes + #ARGV[i]
end
local lastText = string.format('%.0f', newLast)
redis.call('HSET', KEYS[2], 'last', lastText,
  'bytes', (lease[5] or 0) + bytes, 'runBytes', (lease[6] or 0) + bytes)
if ARGV[3] ~= '0' then
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3]) end
end
local notification = lastText
if bytes <= ${notificationBytes} then
  notification = notification .. '\\n' .. table.concat(ARGV, '\\n', from)
end
redis.call('PUBLISH', ARGV[4], notification)
return {'ok', newLast}
`,
);

/**
 * Gives the write lease back: nothing is added to the run any more, and it leaves after the retention
 * time. ARGV: run, fencing token, retention time, bytes kept.
 */
export const closeScript = new Script<number>(
  3,
  `${luaNow}${trim}
local lease = redis.call('HMGET', KEYS[2], 'run', 'fence', 'last', 'closed', 'runBytes')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] or lease[4] then return 0 end
redis.call('HSET', KEYS[2], 'closed', 1)
redis.call('RPUSH', KEYS[3], string.format('%s %.0f %s', lease[3], now, lease[5] or 0))
trim(tonumber(ARGV[3]), tonumber(ARGV[4]))
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3]) end
return 1
`,
);

/** Removes the events up to a number, and the ended runs that they are. ARGV: the number. */
export const forgetScript = new Script<number>(
  3,
  `
while true do
  local oldest = redis.call('LINDEX', KEYS[3], 0)
  local last, bytes = string.match(oldest or '', '^(%d+) %d+ (%d+)$')
  if not last or tonumber(last) > tonumber(ARGV[1]) then break end
  redis.call('LPOP', KEYS[3])
  redis.call('HINCRBY', KEYS[2], 'bytes', -bytes)
end
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-0', ARGV[1] + 1))
`,
);
