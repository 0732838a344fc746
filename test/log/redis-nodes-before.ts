/**
 * What a node built before 29 November 2026 does to a conversation in Redis: its scripts as they were.
 * Newer nodes share Redis with such while a deployment is rolled.
 */
import { randomUUID } from "node:crypto";
import { createClient } from "redis";
import { keysOf } from "../../src/log/redis/run-scripts.ts";

/** ARGV: run, fencing token, number of the event before, 1 to take the run over, time to live. */
const openScript = `
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
redis.call('HSET', KEYS[2], 'run', run, 'fence', token, 'last', last)
if lease[1] ~= run then
  redis.call('HSET', KEYS[2], 'first', string.format('%.0f', after + 1), 'runBytes', 0)
end
redis.call('HDEL', KEYS[2], 'closed')
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[5]) end
return {'opened', last}
`;

/** ARGV: run, fencing token, time to live, channel, number of the first event, events. */
const appendScript = `
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
redis.call('PUBLISH', ARGV[4], lastText .. '\\n' .. table.concat(ARGV, '\\n', from))
return {'ok', newLast}
`;

export async function nodesBefore(url: string) {
  const client = createClient({ url });
  const subscriber = createClient({ url });
  await client.connect();
  await subscriber.connect();
  const token = randomUUID();
  const run = (script: string, conversationId: string, args: readonly (string | number)[]) => {
    const { events, lease, ended } = keysOf("langwire", conversationId);
    return client.sendCommand(["EVAL", script, "3", events, lease, ended, ...args.map(String)]);
  };
  return {
    takeOver: (conversationId: string, runId: string) =>
      run(openScript, conversationId, [runId, token, 0, 1, 60_000]),
    append(
      conversationId: string,
      runId: string,
      { firstSeq, names }: { firstSeq: number; names: readonly string[] },
    ) {
      const { channel } = keysOf("langwire", conversationId);
      const events = names.map((name) =>
        JSON.stringify({ type: "custom", runId, spanId: "span", name }),
      );
      return run(appendScript, conversationId, [runId, token, 0, channel, firstSeq, ...events]);
    },
    /** @returns what it hears from then on */
    async listen(conversationId: string): Promise<string[]> {
      const heard: string[] = [];
      const { channel } = keysOf("langwire", conversationId);
      await subscriber.subscribe(channel, (message) => heard.push(message));
      return heard;
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      subscriber.destroy();
    },
  };
}
