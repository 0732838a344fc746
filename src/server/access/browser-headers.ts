/** CORS for pages that may read the server's answers, and the security headers of its own pages. */
import cors, { type FastifyCorsOptions } from "@fastify/cors";
import helmet from "@fastify/helmet";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { OriginCheck } from "./origins.ts";

/** How long a browser may remember that a page may call. */
const preflightMaxAgeS = 600;

type CorsAnswer = (error: Error | null, options: FastifyCorsOptions) => void;

export async function browserHeaders(
  app: FastifyInstance,
  { allowsOrigin }: { allowsOrigin: OriginCheck },
): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        // 'self' covers ws: and wss: of the same host.
        connectSrc: ["'self'"],
        imgSrc: ["'self'", "data:"],
        styleSrc: ["'self'"],
        styleSrcAttr: ["'unsafe-inline'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // Whoever ends TLS in front of the server decides for the domain; the server cannot know it.
    strictTransportSecurity: false,
  });
  await app.register(cors, {
    delegator: ({ headers, host }: FastifyRequest, answer: CorsAnswer) => {
      const { origin } = headers;
      const allowed = origin !== undefined && allowsOrigin({ origin, host });
      answer(null, {
        origin: allowed ? origin : false,
        methods: ["GET", "POST"],
        exposedHeaders: ["retry-after"],
        maxAge: preflightMaxAgeS,
      });
    },
  });
}
