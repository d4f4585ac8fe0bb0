// The house on a LAN of the test's own (lan.mjs): TLS by its own authority, and a foreign page at every door.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Spec } from "./house";

/** Why a network of its own cannot be made here; empty: it can. */
function missing(): string {
  for (const tool of ["unshare", "ip", "hostname"]) {
    if (spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0) {
      return `${tool} is not installed`;
    }
  }
  if (!existsSync("/etc/chromium")) {
    return "there is no /etc/chromium to put a policy in";
  }
  return spawnSync("unshare", ["-rnmu", "true"]).status === 0
    ? ""
    : "namespaces are not allowed";
}

const spec: Spec = {
  "the house is trusted on a LAN, and a foreign page fails at every door":
    () => {
      const why = missing();
      if (why !== "") {
        console.log(`  skipped: ${why}`);
        return Promise.resolve();
      }
      const got = spawnSync("unshare", ["-rnmu", "sh", "e2e/lan.sh"], {
        encoding: "utf8",
        timeout: 120_000,
      });
      if (got.status !== 0) {
        throw new Error(`${got.stdout}\n${got.stderr}`);
      }
      console.log(`  ${got.stdout.trim()}`);
      return Promise.resolve();
    },
};

export default spec;
