/** The document that is always there, also where Langwire is installed without its others. */
export const aboutLangwire = `
# What Langwire is

Langwire puts LangChain.js on a typed wire. You register a LangChain runnable (a chain, an agent or
a graph) as a bot. A tRPC router over WebSocket streams everything that happens while it runs, tokens
first, to typed clients. The stream survives dropped sockets, restarts and slow readers, is billed
once, can be stopped for real, and can be watched by many.

# Bots

A bot is a named LangChain runnable with its settings: model, prompt, memory window, tools, and what
it exposes. Two bots ship: chat, a prompt with history, a model and a string parser; and agent, made
with createAgent, with a calculator, the time, and a search over these documents. defineBot takes any
runnable or a factory that makes one for each run.

# Choosing a model

Set MODEL to provider:name, for example openai:gpt-4.1-mini, and OPENAI_API_KEY to your key. To use
Ollama, vLLM or llama-server, set OPENAI_BASE_URL to its address, ending in /v1. Without a key and
without a base URL, the small built-in local model answers. It is not a large language model: it
searches these documents, does arithmetic, tells the time and writes simple verses.

# Conversations, runs and spans

A conversation belongs to its owner, or is shared as a room in which every member sees every run. A
run is one human message and the bot's work on it; its runId is a UUID made by the client. A span is
one chain, model, tool or retriever call inside a run.

# Resuming and reconnecting

A run belongs to the server, not to a socket. Sending the same runId again follows the run that is
there and never calls the model twice; chat.follow reads a run and can never start one. Every event
has a number in its conversation's log; a client that reconnects with the last number it saw gets what
follows, once and in order.

# Stopping a run

chat.cancel stops the run: the provider's connection closes, and the run ends as cancelled with the
partial answer. Closing a tab or losing the socket stops nothing.

# Events

Every run begins with runStart and ends with exactly one runEnd, which carries the whole answer and
the usage. Between them come chainStart and chainEnd, llmStart and llmEnd, token, reasoning, toolStart,
toolProgress and toolEnd, agentAction and agentFinish, retrieverStart and retrieverEnd, text, custom,
reset and error.

# Storage

On one machine, conversations and messages are in an SQLite file in DATA_DIR and the event log is in
memory, journalled in the same file. For many machines, DATABASE_URL names a Postgres and REDIS_URL a
Redis.

# Langwire について

Langwire は LangChain.js のチェーン、エージェント、グラフを「ボット」として登録し、実行中のすべての出来事を
tRPC の WebSocket で型付きのクライアントにストリーミングするサーバーです。接続が切れても、サーバーが再起動しても、
ストリームは失われず、課金は一度だけです。chat.cancel で実行を本当に止めることができます。

# モデルの選び方

MODEL に provider:name(例: openai:gpt-4.1-mini)を、OPENAI_API_KEY に鍵を設定してください。Ollama や vLLM を
使うときは OPENAI_BASE_URL にそのアドレス(/v1 で終わる)を設定します。どちらもないときは、組み込みのローカルモデルが
答えます。
`;
