/** The proxies' settings, as docs/deployment.md and compose.yaml give them, started in front of a server. */
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { root, samplesIn } from "../docs/samples.ts";
import { type StartedProgram, startProgram } from "../support/child-process.ts";
import { freePort } from "../support/free-port.ts";
import { type NeededProgram, programPath } from "../support/needs-program.ts";

export interface DocumentedProxy {
  readonly name: string;
  readonly program: NeededProgram;
  /** What is written for readers. */
  settings(): Promise<string>;
  /** What replaces their names, ports and certificates with the test's. */
  here(settings: string, place: Place): string;
  arguments(file: string, folder: string): string[];
}

interface Place {
  readonly port: number;
  readonly serverPort: number;
  readonly folder: string;
}

const nginx = {
  program: { command: "nginx", debianPackage: "nginx-light" },
  arguments: (file: string, folder: string) => {
    const own = `daemon off; master_process off; pid ${folder}/pid; error_log stderr warn;`;
    return ["-p", folder, "-e", "stderr", "-c", file, "-g", own];
  },
};

export const proxies: readonly DocumentedProxy[] = [
  {
    ...nginx,
    name: "nginx",
    settings: () => documented("nginx"),
    here: (settings, { port, serverPort, folder }) => {
      const plain = replaced(settings, [
        [/listen 443 ssl;/, `listen 127.0.0.1:${port};`],
        [/ *ssl_certificate .*\n/, ""],
        [/ *ssl_certificate_key .*\n/, ""],
        [/127\.0\.0\.1:3000/, `127.0.0.1:${serverPort}`],
      ]);
      return `events {}\nhttp {\n${nginxFolders(folder)}${plain}}\n`;
    },
  },
  {
    ...nginx,
    name: "compose.yaml's nginx",
    settings: () => readFile(join(root, "ops/nginx.conf"), "utf8"),
    here: (settings, { port, serverPort, folder }) =>
      replaced(settings, [
        [/http \{\n/, `http {\n${nginxFolders(folder)}`],
        [/listen 80;/, `listen 127.0.0.1:${port};`],
        [/server node1:3000;/, `server 127.0.0.1:${serverPort};`],
        [/ *server node[23]:3000;\n/g, ""],
      ]),
  },
  {
    name: "Caddy",
    program: { command: "caddy", debianPackage: "caddy" },
    settings: () => documented("caddyfile"),
    here: (settings, { port, serverPort }) =>
      `{\n  admin off\n}\n${replaced(settings, [
        [/chat\.example\.com/, `http://:${port}`],
        [/127\.0\.0\.1:3000/, `127.0.0.1:${serverPort}`],
      ])}`,
    arguments: (file) => ["run", "--adapter", "caddyfile", "--config", file],
  },
  {
    name: "HAProxy",
    program: { command: "haproxy", debianPackage: "haproxy" },
    settings: () => documented("haproxy"),
    here: (settings, { port, serverPort }) =>
      replaced(settings, [
        [/bind :443 ssl crt \S+/, `bind 127.0.0.1:${port}`],
        [/127\.0\.0\.1:3000/, `127.0.0.1:${serverPort}`],
      ]),
    arguments: (file) => ["-db", "-f", file],
  },
];

export interface StartedProxy extends AsyncDisposable {
  readonly port: number;
}

/** What the settings give for a connection's idle timeout, and what it is here. */
const documentedIdleTimeout = /\b120s\b/g;
export const idleTimeoutMs = 1_000;

export async function startProxy(
  proxy: DocumentedProxy,
  serverPort: number,
): Promise<StartedProxy> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "langwire-proxy-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const settings = proxy.here(await proxy.settings(), { port, serverPort, folder });
  const file = join(folder, "settings");
  await writeFile(file, settings.replaceAll(documentedIdleTimeout, `${idleTimeoutMs / 1000}s`));
  const { command } = proxy.program;
  // Caddy keeps what it makes in the user's folders.
  const env = { PATH: programPath, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const program = starting.use(startProgram(command, proxy.arguments(file, folder), { env }));
  await untilListening(port, program);
  const started = starting.move();
  return { port, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

async function documented(language: string): Promise<string> {
  const samples = await samplesIn("docs/deployment.md");
  const [block, ...others] = samples.filter((sample) => sample.language === language);
  if (block === undefined || others.length > 0)
    throw new Error(`There is one block of ${language}.`);
  return block.code;
}

/** @throws Error when one of the patterns is not there any more */
function replaced(settings: string, replacements: readonly [RegExp, string][]): string {
  return replacements.reduce((text, [pattern, replacement]) => {
    if (text.search(pattern) === -1) throw new Error(`The settings have no ${pattern}:\n${text}`);
    return text.replace(pattern, replacement);
  }, settings);
}

/** Where nginx keeps what it buffers, if the user may not write to its own folders. */
function nginxFolders(folder: string): string {
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `access_log off;\n${kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};\n`).join("")}`;
}

async function untilListening(port: number, program: StartedProgram): Promise<void> {
  let ended = false;
  void program.exited.then(() => {
    ended = true;
  });
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      if (ended) throw new Error(`The proxy did not start:\n${program.output}`);
      await delay(20);
    } finally {
      socket.destroy();
    }
  }
}
