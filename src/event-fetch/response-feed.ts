/** The events of any response, whichever fetch it came from. */
import { BodyFeed } from "./body-feed.ts";
import { EventBody } from "./event-body.ts";
import { Pump, sourceOf } from "./pump.ts";
import { Events } from "./sse-split.ts";

/** Takes the response's body. It gives events also where the content type says otherwise. */
export function feedOf(response: Response): BodyFeed {
  const { body } = response;
  if (body === null) throw new TypeError("The provider answered without a body.");
  if (body instanceof EventBody && body.hasEvents) return body.takeFeed();
  const pump = new Pump(sourceOf(body));
  const feed = new BodyFeed({ pieces: new Events(), connection: pump });
  void pump.run(feed);
  return feed;
}
