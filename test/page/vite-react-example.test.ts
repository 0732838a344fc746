/** The example with Vite, React and TanStack Query, started as its first line says. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { startProgram } from "../support/child-process.ts";
import { describeWithChromium } from "./site.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describeWithChromium("examples/vite-react", (_open, browse) => {
  test("the chat answers, and TanStack Query lists the conversation and what happens in it", async () => {
    const env = { PORT: "0", MODEL: "local:", OPENAI_API_KEY: "", NODE_ENV: "development" };
    const example = ["--conditions=langwire-source", "examples/run.ts", "vite-react"];
    await using program = startProgram(process.execPath, example, { cwd: root, env });
    const [, address = ""] = await program.printed(/open (http:\S+)/);
    const page = await browse();
    const complaints: string[] = [];
    page.on("pageerror", ({ message }) => complaints.push(message));
    await page.goto(address);
    await page.getByRole("textbox", { name: "Message" }).fill("Hello");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText(/Bot \(completed\): .*local model/).waitFor();
    await page.getByRole("complementary").getByText("Hello", { exact: true }).waitFor();
    await page.getByText(/runStart → .*token → .*runEnd/).waitFor();
    expect(complaints).toEqual([]);
    program.child.kill("SIGTERM");
    await program.exited;
  });
});
