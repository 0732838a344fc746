"""A Langwire client of its own, written from PROTOCOL.md, on Debian's python3-websockets.

    python3 chat.py "Soda water"
"""
import asyncio
import json
import os
import random
import sys
import uuid

import websockets

URL = os.environ.get("LANGWIRE_URL", "ws://127.0.0.1:3000/trpc")
TOKEN = os.environ.get("LANGWIRE_TOKEN")


async def follow(socket, send, last):
    """The run's events after number `last`, each with its number."""
    params = {"path": "chat.send", "input": {"json": send}}
    if last:
        params["lastEventId"] = str(last)
    await socket.send(json.dumps({"method": "connectionParams", "data": {"token": TOKEN} if TOKEN else {}}))
    await socket.send(json.dumps({"id": 1, "method": "subscription", "params": params}))
    async for text in socket:
        frame = json.loads(text)
        if "error" in frame:
            error = frame["error"]["json"]
            code = error["data"]["langwire"]["code"]
            if code == "AUTH_UNAVAILABLE":  # Tokens cannot be checked at the moment: come back.
                return
            sys.exit(f"{code}: {error['message']}")
        if frame.get("method") == "reconnect":
            return
        if frame["result"]["type"] == "data":
            entry = frame["result"]["data"]["json"]
            yield int(entry["id"]), entry["data"]


async def run(bot_id, message):
    """Sends a message once and yields its events, over any number of dropped sockets."""
    ids = {"runId": str(uuid.uuid4()), "conversationId": str(uuid.uuid4())}
    last, delay = 0, 0.1
    while True:
        try:
            async with websockets.connect(f"{URL}?connectionParams=1", max_size=None) as socket:
                async for number, event in follow(socket, {**ids, "botId": bot_id, "message": message}, last):
                    if number <= last:
                        continue
                    last, delay = number, 0.1
                    yield event
                    if event["type"] == "runEnd":
                        return
        except (OSError, websockets.WebSocketException) as lost:
            if getattr(lost, "code", None) == 4401 or getattr(lost, "status_code", None) in (401, 403):
                sys.exit("UNAUTHORIZED: set LANGWIRE_TOKEN to a fresh token.")
        await asyncio.sleep(delay * random.uniform(0.5, 1))
        delay = min(delay * 2, 10)


async def main():
    async for event in run("chat", " ".join(sys.argv[1:]) or "What is Langwire?"):
        if event["type"] == "token":
            print(event["text"], end="", flush=True)
        elif event["type"] == "runEnd":
            print(f"\n[{event['status']}] {event.get('usage', '')}")
            sys.exit(event["status"] != "completed")


asyncio.run(main())
