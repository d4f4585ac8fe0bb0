// A server of a spec's own: one that is stopped, or that has another configuration than the house of all others.
import { spawn, type ChildProcess } from "node:child_process";
import { until, type House } from "./house";

const LISTENING = /"message":"listening"/;
const ADDRESS = /"addr":"([^"]+)"/;
const START_MS = 60_000;

export interface Served {
  server: ChildProcess;
  base: string;
  /** All that it has said. */
  log: () => string;
}

/** Starts it, `listen` where it listens, and waits until it is ready; one that does not become so is ended. */
export async function serve(
  house: House,
  config: string,
  data: string,
  listen = "127.0.0.1:0",
): Promise<Served> {
  const server = spawn("../bin/kentongan", ["serve", "--config", config], {
    env: {
      ...process.env,
      KENTONGAN_ADMIN_TOKEN: house.token,
      KENTONGAN_LOG_FORMAT: "json",
      KENTONGAN_LOG_LEVEL: "debug",
      KENTONGAN_LISTEN: listen,
      KENTONGAN_DATA_DIR: data,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  let over = false;
  const hear = (words: Buffer) => {
    said += words.toString();
  };
  server.stdout.on("data", hear);
  server.stderr.on("data", hear);
  server.once("exit", () => {
    over = true;
  });
  try {
    const address = await until(
      () => {
        if (over) throw new Error(`it did not start: ${said}`);
        const line = said.split("\n").find((one) => LISTENING.test(one)) ?? "";
        return Promise.resolve(ADDRESS.exec(line)?.[1]);
      },
      "it does not listen",
      START_MS,
    );
    const base = `http://${address}`;
    await until(
      async () => {
        if (over) throw new Error(`it ended: ${said}`);
        return (await fetch(`${base}/readyz`).catch(() => null))?.ok === true;
      },
      "it is not ready",
      START_MS,
    );
    return { server, base, log: () => said };
  } catch (fault) {
    await end(server, "SIGKILL");
    throw fault;
  }
}

/** Ends it and waits until it is gone. */
export async function end(server: ChildProcess, signal: NodeJS.Signals) {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = new Promise((done) => server.once("exit", done));
  server.kill(signal);
  await gone;
}
