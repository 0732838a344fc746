/**
 * What Redis does in one step. Every script touches the keys of one conversation alone, which share a
 * hash tag, so all of this works on a cluster too.
 *
 *   {id}:events   the stream; an entry's id is `<seq>-0`, its one field the event's JSON
 *   {id}:pen      who may write: the run, its fence, the last number, whether the run is over
 *   {id}:ended    the runs that are over, oldest first: `<last number> <when> <bytes>`
 *
 * A fence names the process that works on a run. Taking a run over replaces the fence, and whatever
 * the process before sends afterwards is refused in the same step in which it would be written.
 */
import { luaNow, Script } from "../../redis/script.ts";

export interface ConversationKeys {
  readonly events: string;
  readonly pen: string;
  readonly ended: string;
  /**
   * The channel on which each append is called out: the last number in a line, then, unless they are
   * long, the events themselves, one a line.
   */
  readonly bell: string;
}

export function keysOf(prefix: string, conversationId: string): ConversationKeys {
  const base = `${prefix}:{${conversationId}}`;
  return {
    events: `${base}:events`,
    pen: `${base}:pen`,
    ended: `${base}:ended`,
    bell: `${base}:bell`,
  };
}

/** Lets ended runs go that are too old, or the oldest while there are too many bytes. */
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
 * Gives the pen to a run.
 * ARGV: run, fence, number of the event before, 1 to take the run over, time to live, retention time,
 * bytes kept. Answers `[how, last number]`.
 */
export const openScript = new Script<["opened" | "fenced" | "closed", number]>(
  3,
  `${luaNow}${trim}
local run, fence, after, takeOver = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local pen = redis.call('HMGET', KEYS[2], 'run', 'fence', 'last', 'first', 'closed')
if pen[1] == run then
  if pen[5] then return {'closed', tonumber(pen[3])} end
  if pen[2] ~= fence and not takeOver then return {'fenced', tonumber(pen[3])} end
elseif pen[1] and tonumber(pen[4]) > after + 1 then
  return {'fenced', tonumber(pen[3])}
end
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local last = newest and tonumber(string.match(newest[1], '^%d+')) or 0
if last < after then
  -- A hole must not look like a stream without one.
  redis.call('DEL', KEYS[1], KEYS[3])
  redis.call('HDEL', KEYS[2], 'bytes', 'runBytes')
  last = after
else
  trim(tonumber(ARGV[6]), tonumber(ARGV[7]))
end
redis.call('HSET', KEYS[2], 'run', run, 'fence', fence, 'last', last)
if pen[1] ~= run then
  redis.call('HSET', KEYS[2], 'first', string.format('%.0f', after + 1), 'runBytes', 0)
end
redis.call('HDEL', KEYS[2], 'closed')
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[5]) end
return {'opened', last}
`,
);

/** Bytes of events that a ring brings along; more is left to those who want to read it. */
const rungBytes = 16 * 1024;

/**
 * Adds a run's events from a number on. Those that are in already are skipped, so it may be repeated.
 * ARGV: run, fence, time to live or 0 to leave that alone, channel, number of the first event, events.
 * Answers `[how, last number]`.
 */
export const appendScript = new Script<["ok" | "gap" | "fenced" | "closed" | "lost", number]>(
  3,
  `
local pen = redis.call('HMGET', KEYS[2], 'run', 'fence', 'last', 'closed', 'bytes', 'runBytes')
if not pen[1] then return {'lost', 0} end
local last = tonumber(pen[3])
if pen[1] ~= ARGV[1] or pen[2] ~= ARGV[2] then return {'fenced', last} end
local first = tonumber(ARGV[5])
local newLast = first + #ARGV - 6
if newLast <= last then return {'ok', last} end
if pen[4] then return {'closed', last} end
if first > last + 1 then return {'gap', last} end
local bytes = 0
local from = 6 + last + 1 - first
for i = from, #ARGV do
  redis.call('XADD', KEYS[1], string.format('%.0f-0', first + i - 6), 'e', ARGV[i])
  bytes = bytes + #ARGV[i]
end
local lastText = string.format('%.0f', newLast)
redis.call('HSET', KEYS[2], 'last', lastText,
  'bytes', (pen[5] or 0) + bytes, 'runBytes', (pen[6] or 0) + bytes)
if ARGV[3] ~= '0' then
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3]) end
end
local ring = lastText
if bytes <= ${rungBytes} then ring = ring .. '\\n' .. table.concat(ARGV, '\\n', from) end
redis.call('PUBLISH', ARGV[4], ring)
return {'ok', newLast}
`,
);

/**
 * Puts the pen down: nothing is added to the run any more, and it leaves after the retention time.
 * ARGV: run, fence, retention time, bytes kept.
 */
export const closeScript = new Script<number>(
  3,
  `${luaNow}${trim}
local pen = redis.call('HMGET', KEYS[2], 'run', 'fence', 'last', 'closed', 'runBytes')
if pen[1] ~= ARGV[1] or pen[2] ~= ARGV[2] or pen[4] then return 0 end
redis.call('HSET', KEYS[2], 'closed', 1)
redis.call('RPUSH', KEYS[3], string.format('%s %.0f %s', pen[3], now, pen[5] or 0))
trim(tonumber(ARGV[3]), tonumber(ARGV[4]))
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3]) end
return 1
`,
);
