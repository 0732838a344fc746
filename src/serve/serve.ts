/** Settings and a program in, a listening server out: page, documents, metrics and limits with it. */
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import type { MemoryBounds } from "../config/memory-bounds.ts";
import type { Settings } from "../config/settings.ts";
import { type Langwire, openLangwire } from "../open/open-langwire.ts";
import { allOf } from "../runs/observer.ts";
import { logRuns } from "../runs/run-log.ts";
import { adminRoutes } from "../server/admin/admin.ts";
import { type ChatServer, createServer } from "../server/app.ts";
import { serveDocs } from "../server/docs-page.ts";
import { serveFavicon } from "../server/favicon.ts";
import { LoopLag } from "../server/metrics/loop-lag.ts";
import { traceRuns } from "../server/metrics/tracing.ts";
import { accessOptions, connectionOptions, langwireOptions } from "./options-of-settings.ts";
import { pageUrl } from "./page-url.ts";
import type { Program } from "./program.ts";
import { metricsOf } from "./serve-metrics.ts";
import { noStorage, refuseOpenAddress, wrongSetting } from "./wrong-setting.ts";

/** The built page is the same one for this file and for what is compiled from it. */
const ownPageDir = fileURLToPath(new URL("../../dist/page", import.meta.url));
/** So are the documents of the protocol. */
const documentsDir = fileURLToPath(new URL("../../client/generated", import.meta.url));
const iconFile = fileURLToPath(new URL("../../client/page/icon.svg", import.meta.url));

export interface ServeOptions {
  readonly settings: Settings;
  readonly program: Program;
  readonly logger: Logger;
  /** What the process may hold where no setting says it. */
  readonly bounds: MemoryBounds;
  /** As `ServerOptions.dev`. */
  readonly dev: boolean;
  /** The folder of a page that was built. Default: Langwire's own. */
  readonly pageDir?: string | undefined;
}

/** A server that listens. Disposing closes all of it at once: `langwire.runs.drain` first waits for runs. */
export interface Serving extends AsyncDisposable {
  readonly langwire: Langwire;
  readonly server: ChatServer;
  /** Where its page is, for a browser on this machine. */
  readonly url: string;
}

/** @throws ConfigError naming the setting that cannot be used */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { settings, program, logger, bounds, dev, pageDir = ownPageDir } = options;
  refuseOpenAddress(settings, program);
  if (program.authenticate !== undefined && accessOptions(settings).authenticate !== undefined) {
    logger.warn("AUTH_… is not used: the program has an authenticate of its own");
  }
  await using starting = new AsyncDisposableStack();
  const loopLag = starting.use(new LoopLag());
  const metrics = await metricsOf(settings);
  const { userLimits, ...opened } = langwireOptions(settings, bounds);
  const overloaded = () => loopLag.medianMs > settings.MAX_LOOP_LAG_MS;
  const langwire = await openLangwire({
    ...opened,
    bots: program.bots,
    ...(program.limitsOf && { limitsOf: program.limitsOf }),
    ...(userLimits && { userLimits: { ...userLimits, overloaded } }),
    observer: allOf([
      logRuns(logger, { quotes: dev || logger.isLevelEnabled("debug") }),
      ...(metrics ? [metrics.observer] : []),
      traceRuns(),
    ]),
  }).catch(noStorage(settings));
  starting.use(langwire);
  const server = await createServer({
    langwire,
    logger,
    pageDir,
    dev,
    ...accessOptions(settings),
    ...(program.authenticate && { authenticate: program.authenticate }),
    ...connectionOptions(settings, bounds),
  });
  starting.defer(() => server.close(0));
  await serveDocs(server.app, documentsDir);
  await serveFavicon(server.app, iconFile);
  if (settings.ADMIN_TOKEN !== undefined) adminRoutes(server.app, langwire, settings.ADMIN_TOKEN);
  if (metrics !== undefined) {
    const observed = { langwire, connections: server.connections, loopLag };
    starting.use(await metrics.serve(observed, { logger, server }));
  }
  const { HOST: host, PORT: port } = settings;
  await server.listen({ host, port }).catch(wrongSetting("PORT", port));
  const started = starting.move();
  const url = pageUrl(server.app.server, host);
  return { langwire, server, url, [Symbol.asyncDispose]: () => started.disposeAsync() };
}
