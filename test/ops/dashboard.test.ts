/** The dashboard and the alerts ask for metrics that there are, by labels that they have. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { LoopLag } from "../../src/server/metrics/loop-lag.ts";
import { Metrics } from "../../src/server/metrics/metrics.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { root, samplesIn } from "../docs/samples.ts";

/** What a scrape of a new server declares: each metric with its type. */
async function declared(): Promise<Map<string, string>> {
  const metrics = new Metrics();
  using loopLag = new LoopLag();
  await using server = await startTestServer({ bots: [], observer: metrics.observer });
  const { connections } = server.server;
  metrics.observe({ langwire: server.langwire, connections, loopLag });
  const types = (await metrics.text()).matchAll(/^# TYPE (\w+) (\w+)$/gm);
  return new Map([...types].map(([, name = "", type = ""]) => [name, type]));
}

/** Names in a query that are not functions, labels or keywords of it. */
function metricsIn(query: string): string[] {
  const names = query.replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, "").match(/\b(langwire|process)_\w+/g);
  return [...(names ?? [])];
}

interface Dashboard {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
}

const dashboard: Dashboard = JSON.parse(
  await readFile(`${root}ops/grafana-dashboard.json`, "utf8"),
);
const shown = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
const page = "docs/operations.md";
const alerts = (await samplesIn(page)).filter(({ language }) => language === "promql");

test("every query names metrics that the server has, as what they are", async () => {
  const types = await declared();
  for (const query of [...shown, ...alerts.map(({ code }) => code)]) {
    const named = metricsIn(query);
    expect(named.length, query).toBeGreaterThan(0);
    for (const name of named) {
      const isBucket = name.endsWith("_bucket");
      const type = types.get(isBucket ? name.replace(/_bucket$/, "") : name);
      expect(type, `${name} in ${query}`).toBe(
        isBucket ? "histogram" : name.endsWith("_total") ? "counter" : "gauge",
      );
    }
  }
});

/** prom-client's own, which its documentation explains. */
const isOfTheProcess = (name: string): boolean => /^(process|nodejs)_/.test(name);

test("the dashboard shows every metric of ours, and the page explains every one", async () => {
  const text = await readFile(`${root}${page}`, "utf8");
  const names = [...(await declared()).keys()];
  expect(names.filter(isOfTheProcess)).toContain("process_resident_memory_bytes");
  for (const name of names.filter((it) => !isOfTheProcess(it))) {
    expect(
      shown.some((query) => query.includes(name)),
      name,
    ).toBe(true);
    expect(text, name).toContain(`\`${name}\``);
  }
});
