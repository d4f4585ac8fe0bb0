// What a person can do about a fault, by its code; empty where there is nothing to do but wait.
import { m } from "../../i18n/paraglide/messages.js";

const HELP: Record<string, () => string> = {
  waiting: m.help_waiting,
  silence: m.help_silence,
  format: m.help_format,
  drift: m.help_drift,
  empty: m.help_empty,
  store: m.help_store,
  dns: m.help_dns,
  refused: m.help_refused,
  network: m.help_network,
  timeout: m.help_timeout,
  tls: m.help_tls,
  http: m.help_http,
  size: m.help_size,
  address: m.help_address,
  broken: m.help_broken,
  auth: m.help_auth,
  listen: m.help_listen,
  overflow: m.help_overflow,
};

export const help = (code: string): string =>
  (Object.hasOwn(HELP, code) ? HELP[code]?.() : undefined) ?? "";
