// How bytes reach a feed: the exact commands for its transport, as a person pastes them into a shell.
import { m } from "../../i18n/paraglide/messages.js";
import { shown } from "../../api/feeds";
import type { Doc } from "../../api/read";

export interface Way {
  label: string;
  /** A command or an address. */
  text: string;
}

export interface Sending {
  /** What a person must know first. */
  lead: string;
  ways: Way[];
  /** A key belongs in the commands. */
  key: boolean;
}

/** A word of a shell, quoted where it must be. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;

const MEDIA: Record<string, string> = {
  cap: "application/cap+xml",
  csv: "text/csv",
  gtfsrt: "application/x-protobuf",
  georss: "application/xml",
  siri: "application/xml",
  cot: "application/xml",
  nmea: "text/plain",
  ais: "text/plain",
};

const FILE: Record<string, string> = {
  cap: "cap.xml",
  csv: "data.csv",
  gtfsrt: "vehicles.pb",
  georss: "feed.xml",
  siri: "siri.xml",
  cot: "cot.xml",
  nmea: "data.nmea",
  ais: "data.nmea",
};

/** A topic to publish to: wildcards of the feed's own become a first example. */
export const topicFor = (pattern: string, feed: string): string =>
  (pattern || feed)
    .split("/")
    .map((part) => (part === "+" ? "alat-1" : part === "#" ? "data" : part))
    .join("/");

/** `origin` is this page's own, `key` what stands for the feed's key. */
export function sendingTo(config: Doc, origin: string, key: string): Sending {
  const of = (name: string) => shown(config[name]);
  const name = of("name");
  const url = of("url");
  const listen = of("listen");
  const host = new URL(origin).hostname;
  const file = FILE[of("format")] ?? "data.json";
  switch (of("transport")) {
    case "push": {
      const address = `${origin}/api/v1/ingest/${name}`;
      const media = MEDIA[of("format")] ?? "application/json";
      const curl = (to: string) =>
        `curl -X POST ${quoted(to)} \\\n  -H ${quoted(`Authorization: Bearer ${key}`)} \\\n  -H ${quoted(`Content-Type: ${media}`)} \\\n  --data-binary @${file}`;
      return {
        lead: m.adm_send_push(),
        ways: [
          { label: m.adm_send_address(), text: address },
          { label: m.adm_send_command(), text: curl(address) },
          { label: m.adm_send_dry(), text: curl(`${address}?dry_run=1`) },
        ],
        key: true,
      };
    }
    case "mqtt": {
      if (url !== "") {
        return {
          lead: m.adm_send_broker({ topic: of("topic") }),
          ways: [{ label: m.adm_send_address(), text: url }],
          key: false,
        };
      }
      const topic = topicFor(of("topic"), name);
      return {
        lead: m.adm_send_mqtt(),
        ways: [
          {
            label: m.adm_send_command(),
            text: `mosquitto_pub -V 5 -h ${quoted(host)} -p 1883 -q 1 \\\n  -u ${quoted(name)} -P ${quoted(key)} \\\n  -t ${quoted(topic)} -f ${file}`,
          },
        ],
        key: true,
      };
    }
    case "tcp":
    case "udp": {
      if (url !== "") {
        return {
          lead: m.adm_send_dial(),
          ways: [{ label: m.adm_send_address(), text: url }],
          key: false,
        };
      }
      const port = listen.slice(listen.lastIndexOf(":") + 1);
      const udp = of("transport") === "udp" ? "-u -w1" : "-N";
      return {
        lead: m.adm_send_listen(),
        ways: [
          { label: m.adm_send_address(), text: listen },
          {
            label: m.adm_send_command(),
            text: `nc ${udp} ${quoted(host)} ${port} < ${file}`,
          },
        ],
        key: false,
      };
    }
    case "poll":
      return {
        lead: m.adm_send_poll({ every: of("every") }),
        ways: [
          { label: m.adm_send_address(), text: url },
          {
            label: m.adm_send_look(),
            text: `curl -sS ${quoted(url)} | head -c 2000`,
          },
        ],
        key: false,
      };
    case "ws":
      return {
        lead: m.adm_send_ws(),
        ways: [{ label: m.adm_send_address(), text: url }],
        key: false,
      };
    case "file":
      return {
        lead: m.adm_send_file(),
        ways: [{ label: m.adm_send_path(), text: of("path") }],
        key: false,
      };
    default:
      return { lead: m.adm_send_none(), ways: [], key: false };
  }
}
